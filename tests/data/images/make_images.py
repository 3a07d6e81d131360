"""Writes the PNG files in this folder, from their specification, with nothing but zlib.

The JPEG files are from libjpeg-turbo's `cjpeg -quality 95 -sample 1x1`: grey.jpg is 8 x 8 with column
w as 30 w; colour.jpg is 8 x 16, the left half (200, 30, 60), the right half (20, 180, 90);
progressive.jpg is the same with -progressive.
"""

import pathlib
import struct
import zlib

GREY, COLOUR, PALETTE, COLOUR_ALPHA = 0, 2, 3, 6


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write(name, width, height, depth, kind, rows, palette=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette:
        png += chunk(b"PLTE", palette)
    png += chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    (pathlib.Path(__file__).parent / name).write_bytes(png)


# Each row starts with its filter: 0 none, 1 the difference to the pixel on the left.
write("grey.png", 3, 2, 8, GREY, bytes([0, 10, 20, 255, 1, 5, 1, 2]))
write("colour.png", 2, 1, 8, COLOUR, bytes([0, 200, 30, 60, 1, 2, 3]))
write("transparent.png", 2, 1, 8, COLOUR_ALPHA, bytes([0, 200, 30, 60, 0, 1, 2, 3, 128]))
write("16_bits.png", 2, 1, 16, GREY, struct.pack(">BHH", 0, 0x1234, 0xFF00))
write("palette.png", 4, 1, 2, PALETTE, bytes([0, 0b00011011]),
      bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7]))
write("huge.png", 8193, 8192, 8, GREY, b"")  # 2^26 + 8192 pixels
write("bomb.png", 1, 1, 8, GREY, bytes(8 << 20))  # 8 MiB for one pixel
