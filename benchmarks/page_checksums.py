"""What verifying page checksums costs: the same sorted run, decoded row group by row group with and without.

python benchmarks/page_checksums.py [rows]
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROUNDS = 9


def main() -> None:
    """Print seconds per decoding, as medians of rounds in turn."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    random = np.random.default_rng(0)
    columns = {"id": np.sort(random.integers(0, rows // 10, rows))} | {f"f{number}": random.random(rows) for number in range(11)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.parquet"
        options = {"compression": "lz4", "use_dictionary": ["id"], "write_page_checksum": True, "row_group_size": 131_072}
        pq.write_table(pa.table(columns), path, **options)
        taken: dict[bool, list[float]] = {True: [], False: []}
        for round_number in range(ROUNDS + 1):
            for verified in taken:
                seconds = decode(path, verified=verified)
                if round_number:
                    taken[verified].append(seconds)
    with_checks, without = median(taken[True]), median(taken[False])
    print(f"{rows:,} rows x {len(columns)} columns, lz4: verified {with_checks:.3f} s, not verified {without:.3f} s, ratio {with_checks / without:.2f}")


def decode(path: Path, *, verified: bool) -> float:
    """Decode every row group, and forget it."""
    started = time.perf_counter()
    with pq.ParquetFile(path, page_checksum_verification=verified, pre_buffer=True) as file:
        for group in range(file.num_row_groups):
            file.read_row_group(group)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
