"""Writes a GGUF file with each of its matrices as the f32 numbers that its blocks stand for, into the peers' cache.
Prints its path. Both sides of the benchmark then read the same file.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from peers.base_model import default_folder, default_gguf


def make(gguf: Path, exact: Path) -> None:
    import numpy
    from gguf import GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType, Keys
    from gguf.quants import dequantize

    half_made = exact.with_name(exact.name + ".tmp")
    reader = GGUFReader(gguf)
    own = {Keys.General.ARCHITECTURE, Keys.General.FILE_TYPE, Keys.General.QUANTIZATION_VERSION}
    architecture = reader.fields[Keys.General.ARCHITECTURE].contents()
    writer = GGUFWriter(half_made, architecture)
    writer.add_file_type(LlamaFileType.ALL_F32)
    for field in reader.fields.values():
        if field.name in own or field.name.startswith("GGUF."):
            continue
        kind = field.types[0]
        within = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, within)
    for tensor in reader.tensors:
        numbers = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        writer.add_tensor(tensor.name, numbers.reshape([int(n) for n in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    half_made.rename(exact)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--gguf", type=Path, default=default_gguf())
    ask.add_argument("--exact", type=Path, default=default_folder().with_suffix(".f32.gguf"))
    asked = ask.parse_args()
    if not asked.gguf.is_file():
        sys.exit(f"There is no {asked.gguf}. `cargo xtask test` fetches it, or name another with --gguf.")
    if not asked.exact.is_file():
        asked.exact.parent.mkdir(parents=True, exist_ok=True)
        make(asked.gguf, asked.exact)
    print(asked.exact)


if __name__ == "__main__":
    main()
