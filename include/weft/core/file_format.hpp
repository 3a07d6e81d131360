/// \file
/// Recognises other programs' files by their first bytes, for the errors of readers.
#pragma once

#include "weft/config.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace weft::detail {

/// A format and the bytes that its files start with.
struct FileFormat {
    std::string_view start;
    std::string_view name;
};

/// Sources: the signatures in the formats' own specifications; for PyTorch the magic number
/// 0x1950A86A20F9469CFC6C of torch/serialization.py, pickled.
inline constexpr std::array file_formats{
    FileFormat{"\x89HDF\r\n\x1a\n", "an HDF5 file (.h5)"},
    FileFormat{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
               "a PyTorch file of the old form (.pt)"},
    FileFormat{"\x80\x02", "a Python pickle"},
    FileFormat{"\x80\x03", "a Python pickle"},
    FileFormat{"\x80\x04\x95", "a Python pickle"},
    FileFormat{"\x80\x05\x95", "a Python pickle"},
    FileFormat{"\x1f\x8b", "compressed by gzip"},
    FileFormat{"\xfd\x37zXZ", "compressed by xz"},
    FileFormat{"\x28\xb5\x2f\xfd", "compressed by zstd"},
    FileFormat{"\x93NUMPY", "a NumPy array (.npy)"},
    FileFormat{"GGUF", "a GGUF file"},
    FileFormat{"PAR1\x15", "a Parquet file"},
    FileFormat{"\xff\xfe", "text in UTF-16"},
    FileFormat{"\xfe\xff", "text in UTF-16"},
    FileFormat{"{\"", "JSON text"},
    FileFormat{"{\n", "JSON text"},
    FileFormat{"version https://git-lfs", "a pointer of Git LFS (git lfs pull gets the file)"},
    FileFormat{"<!DOCTYPE html", "a web page"},
    FileFormat{"<!doctype html", "a web page"},
    FileFormat{"<html", "a web page"},
};

/// The format of a zip archive, by the name of its first file, at byte 30 of the archive.
WEFT_COLD inline std::string_view zip_format(std::string_view start) {
    const auto byte = [&](std::size_t i) {
        return i < start.size() ? static_cast<unsigned char>(start[i]) : 0u;
    };
    const std::size_t length = byte(26) + 256u * byte(27);
    const std::string_view name = start.substr((std::min<std::size_t>)(30, start.size()), length);
    const auto has = [&](std::string_view part) { return name.find(part) != name.npos; };
    if (has(".npy")) return "a NumPy archive (.npz)";
    if (has("[Content_Types]") || has("_rels/")) return "an Excel workbook (.xlsx)";
    if (has("metadata.json") || has("config.json") || has("weights.h5")) {
        return "a Keras file (.keras)";
    }
    if (has("/data.pkl") || has("/version") || has("/byteorder") || has("/.format_version")) {
        return "a PyTorch file (.pt)";
    }
    return "a zip archive";
}

/// Whether it starts like an ONNX protocol buffer: field 1, the format's version, is a small
/// number, followed by the producer's name, the graph or the operators' version.
/// Source: onnx.proto, message ModelProto.
WEFT_COLD inline bool is_onnx(std::string_view start) {
    constexpr std::string_view next_fields = "\x12\x1a\x22\x3a\x42";
    return start.size() > 3 && start[0] == '\x08' && start[1] > 0 && start[1] < 32 &&
           next_fields.find(start[2]) != next_fields.npos;
}

/// The format of a file with these first 64 bytes, "a NumPy array (.npy)"; empty if unknown.
WEFT_COLD inline std::string_view known_file_format(std::string_view start) {
    if (start.starts_with("PK\x03\x04")) return zip_format(start);
    if (start.substr((std::min<std::size_t>)(4, start.size())).starts_with("TFL3")) {
        return "a TensorFlow Lite model (.tflite)";
    }
    if (is_onnx(start)) return "an ONNX model (.onnx)";
    for (const FileFormat& format : file_formats) {
        if (start.starts_with(format.start)) return format.name;
    }
    return {};
}

}  // namespace weft::detail
