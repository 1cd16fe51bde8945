"""What messages advise in Python, said as it is typed on the command line."""

import re

_SAID = tuple(
    (re.compile(python), typed)
    for python, typed in (
        (r"on_bad_rows=[\"']quarantine[\"']", "--quarantine"),
        (r"say tr\.Csv\(path, null_values=\('', ('[^']*')\)\)", r"say --null \1"),
        (r"drop_null_targets=True", "--drop-null-targets"),
        (r"say drop\('[^']*', confirm=('[^']*')\)", r"say --confirm \1"),
        (r"Say Labels\(\.\.\., inputs=\[.*\]\)\.", "Name each with --input."),
        (r"again=True", "--again"),
        (r"Get it with store\.feature_groups\['([^']*)'\]", r"Look at it with treering group show \1"),
        (r"Read its whole output with store\.training_jobs\.logs\('([^']*)'\)", r"Read its whole output with treering job logs \1"),
        (r"such as time_zone='([^']*)' or time_zone='([^']*)'", r"such as --time-zone \1 or --time-zone \2"),
        (r"such as date_means='([^']*)', time_zone='([^']*)'", r"such as --date-means \1 --time-zone \2"),
    )
)


def as_typed(message: str) -> str:
    """Say a message to somebody who types commands.

    >>> as_typed("To go on, say drop('planes', confirm='planes').")
    "To go on, say --confirm 'planes'."

    Args:
        message: an error's.
    """
    for python, typed in _SAID:
        message = python.sub(typed, message)
    return message
