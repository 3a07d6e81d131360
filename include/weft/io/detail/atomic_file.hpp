/// \file
/// Writing a file so that nobody ever sees half of it.
#pragma once

#include "weft/config.hpp"
#include "weft/core/error.hpp"

#include <filesystem>
#include <fstream>

namespace weft::detail {

/// Writes a file beside the path, and commit() puts it in its place: at any moment, also after a
/// crash or on a full disk, the path has the old contents or all of the new ones. What is not
/// committed is removed. Throws IoError, which names the path.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path path)
        : path_(std::move(path)),
          temporary_(path_.string() + ".part"),
          file_(temporary_, std::ios::binary) {
        check(file_.is_open(), "be created");
    }
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile() {
        file_.close();
        std::error_code ignored;
        std::filesystem::remove(temporary_, ignored);
    }

    void write(const void* bytes, std::size_t count) {
        file_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
    }

    void commit() {
        file_.close();
        check(file_.good() && sync_to_disk(temporary_.string().c_str()), "be written in full");
        std::error_code error;
        std::filesystem::rename(temporary_, path_, error);
        check(!error, "be put in place");
        // The new name lies in the folder, which has to reach the disk too.
        const std::filesystem::path folder = path_.parent_path();
        sync_to_disk(folder.empty() ? "." : folder.string().c_str());
    }

private:
    void check(bool holds, std::string_view what) const {
        if (!holds) throw IoError(concat(path_.string(), ": cannot ", what));
    }

    std::filesystem::path path_, temporary_;
    std::ofstream file_;
};

}  // namespace weft::detail
