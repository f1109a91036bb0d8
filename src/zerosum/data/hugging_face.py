"""Data sets of the Hugging Face hub, or of its layout on disk, through the library `datasets` (extra `hf`): hf:NAME or hf:NAME/CONFIG."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

from zerosum.data.listing import Listing
from zerosum.data.options import HUGGING_FACE
from zerosum.data.parquet import LABEL
from zerosum.data.stored_image import Entry
from zerosum.errors import Refusal

PREFIX = HUGGING_FACE
SPLIT = "train"


def list_hugging_face(name: str) -> Listing:
    """The images of a data set's split `train`, with its labels. The library keeps them in its own cache, memory-mapped.

    name: as `datasets.load_dataset` takes it: of the hub, or a local folder. Raises Refusal where it has no images or cannot be loaded.
    """
    try:
        import datasets
    except ImportError as error:
        raise Refusal("hf: data sets need the extra `hf`: pip install 'zerosum[hf]'.") from error
    if not name.strip():
        raise Refusal("hf: needs the name of a data set, such as hf:ylecun/mnist, or the path of a local one.")
    try:
        found = datasets.load_dataset(name, split=SPLIT)
    except Exception as error:  # The library raises errors of many kinds: of the network, of files, of its own.
        words = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise Refusal(f"The Hugging Face data set {name} cannot be loaded ({words}): check its name and your network.") from error
    columns = [c for c, feature in found.features.items() if isinstance(feature, datasets.Image)]
    # A column of the layout {bytes, path}, where the data set does not say that it contains images.
    columns += [c for c, feature in found.features.items() if isinstance(feature, dict) and "bytes" in feature]
    if not columns:
        raise Refusal(f"The Hugging Face data set {name} has no column of images, only {', '.join(found.features)}: give one that has.")
    column = columns[0]
    stored = found.select_columns([column]).cast_column(column, datasets.Image(decode=False))
    stamp = str(found._fingerprint)
    entries = tuple(Entry(str(i), 0, f"{stamp}/{i}") for i in range(len(found)))

    def opened(entry: Entry) -> IO[bytes]:
        value = stored[int(entry.name)][column]
        return io.BytesIO(value["bytes"] if value["bytes"] is not None else Path(value["path"]).read_bytes())

    table = _labels(found, datasets)
    return Listing(PREFIX + name, entries, opened, (), 0, lambda: table, measured=False, folders=False)


def _labels(found: Any, datasets: Any) -> dict[str, str] | None:
    """The label of each image by its number; None where there is no column of labels, or labels are missing."""
    column = next((c for c, f in found.features.items() if isinstance(f, datasets.ClassLabel)), None)
    column = column or next((c for c in LABEL if c in found.features), None)
    if column is None:
        return None
    feature, values = found.features[column], found[column]
    if any(value is None or value == -1 for value in values):  # -1 stands for hidden labels.
        return None
    names = feature.names if isinstance(feature, datasets.ClassLabel) else None
    return {str(i): names[value] if names else str(value) for i, value in enumerate(values)}
