"""What each kernel takes of a GPU: registers and shared memory, as nvcc allocated them, and the warps that
a multiprocessor can hold at once. Compares weft::cuda with the table in docs/gpu-kernels.md.

    resources.py libweft_cuda.a            ends with 1 where they differ
    resources.py libweft_cuda.a --update   writes the table

The library is one of nvcc 13.0 with --no-compress, for 7.5 and 9.0 at least; other versions allocate
otherwise. Ends with 77 where there is nothing to compare.
"""

import argparse
import pathlib
import re
import struct
import subprocess
import sys

TABLE = pathlib.Path(__file__).parents[3] / "docs" / "gpu-kernels.md"

HEADER = """\
# What kernels take of a GPU

Registers of a thread and warps at once on a multiprocessor, for compute capabilities 7.5 (at most 32 warps)
and 9.0 (at most 64), and shared memory of a block, without what is reserved. As nvcc 13.0 compiles them; no
kernel spills a register. Those of tensor cores are not compiled for 7.5, which has none for TF32. A test
compares this table with the library that was built,
[tests/kernels/cuda/resources.py](../tests/kernels/cuda/resources.py) writes it. How to read a name: what
starts the threads, and in brackets what each does.

| Kernel | Threads a block | Shared bytes | Registers 7.5 | Warps 7.5 | Registers 9.0 | Warps 9.0 |
|---|---|---|---|---|---|---|
"""

RESERVED = 1024  # bytes of shared memory that 9.0 keeps for itself, where a kernel takes some
CUDA_MACHINE = 190  # of ELF
INFO_REGISTERS = 0x2F  # .nv.info: (symbol, registers of a thread)
FORMAT_SIZED = 4


class Gpu:
    """What a multiprocessor has (CUDA C++ programming guide, compute capabilities)."""

    registers = 65536

    def __init__(self, warps, blocks, shared, shared_unit):
        self.warps, self.blocks = warps, blocks
        self.shared, self.shared_unit = shared, shared_unit

    def warps_at_once(self, threads, registers, shared):
        """By whichever of blocks, threads, registers and shared memory is used up first."""
        of_block = -(-threads // 32)
        of_warp = -(-registers * 32 // 256) * 256
        by_registers = self.registers // of_warp // 4 * 4  # by four schedulers
        taken = -(-shared // self.shared_unit) * self.shared_unit
        blocks = min(self.blocks, self.warps // of_block, by_registers // of_block)
        return of_block * (min(blocks, self.shared // taken) if taken else blocks)


GPUS = {75: Gpu(32, 16, 65536, 256), 90: Gpu(64, 32, 233472, 128)}


def text_at(data, place):
    return data[place : data.index(b"\0", place)].decode()


def kernels_of(cubin):
    """{symbol: (registers, shared bytes)} of the ELF file that the bytes begin with."""
    (sections_at,) = struct.unpack_from("<Q", cubin, 40)
    count, names_index = struct.unpack_from("<HH", cubin, 60)
    # name, type, flags, address, offset, size, link, info, alignment, entry size
    sections = [struct.unpack_from("<IIQQQQIIQQ", cubin, sections_at + 64 * i) for i in range(count)]
    names = sections[names_index][4]
    by_name = {text_at(cubin, names + section[0]): section for section in sections}
    symbols, texts = by_name[".symtab"][4], by_name[".strtab"][4]
    kernels = {}
    place, size = by_name[".nv.info"][4:6] if ".nv.info" in by_name else (0, 0)
    end = place + size
    while place < end:
        form, attribute, length = struct.unpack_from("<BBH", cubin, place)
        if form == FORMAT_SIZED and attribute == INFO_REGISTERS:
            symbol, registers = struct.unpack_from("<II", cubin, place + 4)
            name = text_at(cubin, texts + struct.unpack_from("<I", cubin, symbols + 24 * symbol)[0])
            shared = by_name.get(".nv.shared." + name)
            kernels[name] = (registers, shared[5] if shared else 0)
        place += 4 + (length if form == FORMAT_SIZED else 0)
    return kernels


def kernels_in(library):
    """{capability: {symbol: (registers, shared bytes)}} of all that a library holds uncompressed."""
    found = {capability: {} for capability in GPUS}
    place = library.find(b"\x7fELF\x02\x01")
    while place >= 0:
        (machine,) = struct.unpack_from("<H", library, place + 18)
        if machine == CUDA_MACHINE:
            (flags,) = struct.unpack_from("<I", library, place + 48)
            capability = flags >> 8 & 0xFF
            if capability in found:
                found[capability].update(kernels_of(library[place:]))
        place = library.find(b"\x7fELF\x02\x01", place + 4)
    return found


def without_parentheses(name):
    result, depth = "", 0
    for c in name:
        depth += c == "("
        if depth == 0:
            result += c
        depth -= c == ")"
    return result


def short(name):
    """each<weft::kernels::f<float>(...)::{lambda(int)#1}>(...)  ->  each<f<float>>"""
    # c++filt does not know functions of functions that have no name; theirs has a hash of the path.
    nested = re.match(r"_ZN4weft7kernels4cuda10reduce_all.*add_rowsIZNS0_\d+(\w+?)I([fd])E", name)
    if nested:
        return f"reduce_all<add_rows<{nested[1]}<{'float' if nested[2] == 'f' else 'double'}>>>"
    name = name.replace("(anonymous namespace)::", "")
    name = re.sub(r"\b(weft|kernels|cuda|std)::", "", without_parentheses(name))
    name = re.sub(r"^void ", "", name).replace("unsigned char", "uint8").replace("> >", ">>")
    name = name.replace("::{lambda#1}", "")
    name = re.sub(r"::\{lambda#(\d)\}", r" (\1)", name)
    # What adds and what finishes are of one function.
    if not name.startswith("product"):
        name = re.sub(r"(\w+(?:<[^<>]*>)?), \1(?: \(2\))?>$", r"\1>", name)
    # A product by its tile, kind of sums, and factors.
    name = re.sub(r"(Scalar|Tensor)Sums<Tile<[\d, ]+>, (float|double)>", r"\1Sums", name)
    name = re.sub(r"Tile<(\d+), (\d+), \d+, \d+>", r"\1 x \2", name)
    name = re.sub(r"(ScalarSums|TensorSums), true, (float|double)", r"\1, \2 in fours", name)
    return re.sub(r"(ScalarSums|TensorSums), false, (float|double)", r"\1, \2", name)


def threads_of(name):
    """Threads of a block, the most where that follows from the shape."""
    tile = re.search(r"product<.*?Tile<\d+, \d+, (\d+), (\d+)>", name)
    if tile:
        return int(tile[1]) * int(tile[2]) * 32
    if "add_splits" in name:
        return 1024
    return 64 if "next_row" in name else 256


def table_of(found):
    """The lines of the table."""
    symbols = sorted(set().union(*found.values()))
    readable = subprocess.run(
        ["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    lines = []
    for symbol, name in zip(symbols, readable):
        threads = threads_of(name)
        columns = [f"`{short(name)}`", threads, max(0, found[90][symbol][1] - RESERVED)]
        for capability, gpu in GPUS.items():
            registers, shared = found[capability][symbol]
            if capability < 80 and "product<" in name and "TensorSums" in name:
                columns += ["none", ""]
            else:
                columns += [registers, gpu.warps_at_once(threads, registers, shared)]
        lines.append("| " + " | ".join(str(column) for column in columns) + " |\n")
    return sorted(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()

    found = kernels_in(arguments.library.read_bytes())
    if not all(found.values()):
        print(f"skipped: {arguments.library} has no uncompressed kernels for 7.5 and 9.0")
        return 77
    lines = table_of(found)
    if arguments.update:
        TABLE.write_text(HEADER + "".join(lines))
        return 0
    written = TABLE.read_text()
    before = [line for line in written.splitlines(keepends=True) if line.startswith("| `")]
    for line in before:
        if line not in lines:
            print("-", line, end="")
    for line in lines:
        if line not in before:
            print("+", line, end="")
    if written == HEADER + "".join(lines):
        print(f"{len(lines)} kernels as in {TABLE.name}")
        return 0
    print(f"{TABLE.name} differs from what was built: - is there, + was found. --update writes it.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
