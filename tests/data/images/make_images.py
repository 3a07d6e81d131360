"""Writes the PNG files in this folder, from their specification, with nothing but zlib.

The JPEG files are from libjpeg-turbo's `cjpeg -quality 95 -sample 1x1`: grey.jpg is 8 x 8 with column
w as 30 w; colour.jpg is 8 x 16, the left half (200, 30, 60), the right half (20, 180, 90);
progressive.jpg is the same with -progressive, and sampling.jpg with `-sample 3x1`. blocks.jpg is 16 x 24
in blocks of 8 x 8, of grey 20, 60, 100 above 140, 180, 220. cmyk.jpg is Pillow's of 8 x 8 pixels of
cyan 10, magenta 60, yellow 110, black 50, as is restart.jpg, with `restart_marker_rows=1, quality=90`: 32 x 16
of grey (5 h w) % 256.
"""

import pathlib
import struct
import zlib

GREY, COLOUR, PALETTE, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 3, 4, 6


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write(name, width, height, depth, kind, rows, palette=b"", opacity=b"", interlaced=False):
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if palette:
        png += chunk(b"PLTE", palette)
    if opacity:
        png += chunk(b"tRNS", opacity)
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
write("grey_alpha.png", 3, 1, 8, GREY_ALPHA, bytes([0, 100, 255, 100, 128, 100, 0]))
write("grey_key.png", 3, 1, 8, GREY, bytes([0, 7, 8, 9]), opacity=bytes([0, 8]))
write("palette_alpha.png", 4, 1, 2, PALETTE, bytes([0, 0b00011011]),
      bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 8, 7]), bytes([0, 128]))
write("16_bits_alpha.png", 2, 1, 16, COLOUR_ALPHA,
      struct.pack(">BHHHHHHHH", 0, 0x1234, 0x20FF, 0xFF00, 0x8080, 1, 0x100, 0x200, 0xFFFF))


def interlace(pixels):
    """The rows of Adam7's seven passes over rows of bytes, without filters."""
    rows = bytearray()
    for y, x, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
                         (0, 1, 2, 2), (1, 0, 2, 1)]:
        for row in pixels[y::dy]:
            if row[x::dx]:
                rows += bytes([0, *row[x::dx]])
    return bytes(rows)


write("interlaced.png", 7, 6, 8, GREY, interlace([[40 * y + x for x in range(7)] for y in range(6)]),
      interlaced=True)
