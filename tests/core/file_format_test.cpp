#include "weft/core/file_format.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace weft;

namespace {

std::string_view format_of(std::string_view start) { return detail::known_file_format(start); }

/// The first bytes of a zip archive whose first file has that name.
std::string zip_of(const std::string& name) {
    std::string start = "PK\x03\x04" + std::string(26, '\0') + name;
    start[26] = static_cast<char>(name.size());
    return start + "contents";
}

}  // namespace

TEST_CASE("files of other programs are known by their first bytes") {
    using namespace std::string_literals;
    CHECK(format_of("\x89HDF\r\n\x1a\n\0\0"s) == "an HDF5 file (.h5)");
    // torch.save(..., _use_new_zipfile_serialization=False), and pickle.dumps with each protocol.
    CHECK(format_of("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.") ==
          "a PyTorch file of the old form (.pt)");
    CHECK(format_of("\x80\x02}q\0"s) == "a Python pickle");
    CHECK(format_of("\x80\x03}q\0"s) == "a Python pickle");
    CHECK(format_of("\x80\x04\x95\x10\0\0\0\0\0\0\0"s) == "a Python pickle");
    CHECK(format_of("\x80\x05\x95\x10\0\0\0\0\0\0\0"s) == "a Python pickle");
    CHECK(format_of("\x1f\x8b\x08\0"s) == "compressed by gzip");
    CHECK(format_of("\xfd\x37zXZ\0"s) == "compressed by xz");
    CHECK(format_of("\x28\xb5\x2f\xfd\x04"s) == "compressed by zstd");
    CHECK(format_of("\x93NUMPY\x01\0"s) == "a NumPy array (.npy)");
    CHECK(format_of("GGUF\x03\0"s) == "a GGUF file");
    CHECK(format_of("PAR1\x15\x04") == "a Parquet file");
    CHECK(format_of("\x1c\0\0\0TFL3"s) == "a TensorFlow Lite model (.tflite)");
    CHECK(format_of("\xff\xfel\0"s) == "text in UTF-16");
    CHECK(format_of("\xfe\xff\0l"s) == "text in UTF-16");
    CHECK(format_of("<!DOCTYPE html>\n<html>") == "a web page");
    CHECK(format_of("{\"weight_map\": {}}") == "JSON text");
    CHECK(format_of("{\n  \"metadata\": {") == "JSON text");
    CHECK(format_of("version https://git-lfs.github.com/spec/v1\noid sha256:") ==
          "a pointer of Git LFS (git lfs pull gets the file)");
    // As torch.onnx.export, tf2onnx and skl2onnx start.
    for (const std::string& start : {"\x08\x07\x12\x07pytorch"s, "\x08\x08\x12\x06tf2onnx"s,
                                     "\x08\x09\x42\x04\x0a\0\x10\x12"s, "\x08\x0a\x3a\xb0\x01"s}) {
        CHECK(format_of(start) == "an ONNX model (.onnx)");
    }
}

TEST_CASE("zip archives are known by the name of their first file") {
    CHECK(format_of(zip_of("metadata.json")) == "a Keras file (.keras)");
    CHECK(format_of(zip_of("model.weights.h5")) == "a Keras file (.keras)");
    CHECK(format_of(zip_of("archive/data.pkl")) == "a PyTorch file (.pt)");
    CHECK(format_of(zip_of("model/.format_version")) == "a PyTorch file (.pt)");
    CHECK(format_of(zip_of("arr_0.npy")) == "a NumPy archive (.npz)");
    CHECK(format_of(zip_of("[Content_Types].xml")) == "an Excel workbook (.xlsx)");
    CHECK(format_of(zip_of("holiday.jpg")) == "a zip archive");
    const std::string whole = zip_of("arr_0.npy");
    for (std::size_t size = 4; size < 31; ++size) {
        CHECK(format_of(whole.substr(0, size)) == "a zip archive");
    }
}

TEST_CASE("text, safetensors and fragments are no known format") {
    using namespace std::string_literals;
    for (const std::string& start :
         {""s, "P"s, "PK"s, "\x80"s, "\x08"s, "\x08\x07\x12"s, "label,a\n1,2\n"s, "PAR1,PAR2\n"s,
          "\xEF\xBB\xBFlabel"s, "\x58\0\0\0\0\0\0\0{\"a\":"s, "\x08\0\0\0\0\0\0\0{}"s}) {
        CAPTURE(start);
        CHECK(format_of(start) == "");
    }
}
