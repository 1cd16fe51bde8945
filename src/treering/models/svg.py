"""A drawing as SVG: built from elements, so that every text in it is escaped."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree import ElementTree

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """An SVG that stands in a page and takes its colours from the page's style sheet, by class.

    >>> drawing = Drawing(10, 10, "a <line>")
    >>> drawing.line((0, 0), (10, 2.5), "axis")
    >>> str(drawing)
    '<svg viewBox="0 0 10 10" role="img" aria-label="a &lt;line&gt;"><line x1="0" y1="0" x2="10" y2="2.5" class="axis" /></svg>'

    Attributes:
        width, height: of the view box, in units that are pixels where the page shows it unscaled.
        says: what it shows, for those who cannot see it.
    """

    width: float
    height: float
    says: str
    _root: ElementTree.Element = field(init=False)

    def __post_init__(self) -> None:
        attributes = {"viewBox": f"0 0 {_short(self.width)} {_short(self.height)}", "role": "img", "aria-label": self.says}
        object.__setattr__(self, "_root", ElementTree.Element("svg", attributes))

    def line(self, start: Point, end: Point, style: str) -> None:
        """Draw a straight line."""
        self._add("line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], style=style)

    def path(self, points: Iterable[Point], style: str) -> None:
        """Draw lines from point to point."""
        places = " L".join(f"{_short(x)} {_short(y)}" for x, y in points)
        self._add("path", d=f"M{places}", style=style)

    def area(self, points: Iterable[Point], style: str) -> None:
        """Fill what lies between points."""
        places = " L".join(f"{_short(x)} {_short(y)}" for x, y in points)
        self._add("path", d=f"M{places} Z", style=style)

    def circle(self, middle: Point, radius: float, style: str, tip: str = "") -> None:
        """Draw a dot; `tip` shows where a mouse rests on it."""
        self._add("circle", cx=middle[0], cy=middle[1], r=radius, style=style, tip=tip)

    def bar(self, corner: Point, size: Point, style: str, tip: str = "") -> None:
        """Fill a rectangle from its upper left corner."""
        self._add("rect", x=corner[0], y=corner[1], width=size[0], height=size[1], style=style, tip=tip)

    def text(self, place: Point, words: str, style: str, anchor: str = "start") -> None:
        """Write words whose start, middle or end stands at a place."""
        self._add("text", x=place[0], y=place[1], style=style, anchor=anchor).text = words

    def _add(self, tag: str, *, style: str, tip: str = "", anchor: str = "", **attributes: float | str) -> ElementTree.Element:
        said = {name: value if isinstance(value, str) else _short(value) for name, value in attributes.items()}
        said |= {"class": style} | ({"text-anchor": anchor} if anchor else {})
        element = ElementTree.SubElement(self._root, tag, said)
        if tip:
            ElementTree.SubElement(element, "title").text = tip
        return element

    def __str__(self) -> str:
        return ElementTree.tostring(self._root, encoding="unicode")

    def __html__(self) -> str:
        """Say to a template that nothing in it is left to escape (MarkupSafe's protocol)."""
        return str(self)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
