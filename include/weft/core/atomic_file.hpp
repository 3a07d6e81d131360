/// \file
/// Writing a file so that nobody ever sees half of it.
#pragma once

#include "weft/core/error.hpp"
#include "weft/core/system.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

namespace weft::detail {

/// Writes a new file beside the path, and commit() puts it in its place: at any moment, also after
/// a crash, on a full disk or with several writers, the path has the old contents or all of the new
/// ones. The old file's permissions stay, and a link stays one. What is not committed is removed.
/// Several threads and processes may write to one path. Throws IoError, which names the path.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path& path) : name_(path.string()) {
        std::error_code ignored;
        target_ = std::filesystem::weakly_canonical(path, ignored);
        if (ignored) target_ = path;
        // weakly_canonical leaves a link to nothing as it is.
        for (int links = 0; links < 40 && is_symlink(symlink_status(target_, ignored)); ++links) {
            target_ = target_.parent_path() / read_symlink(target_, ignored);
        }
        std::error_code error;
        const auto old = std::filesystem::status(target_, error);
        if (error == std::errc::filename_too_long) {  // the temporary name may fit
            errno = error.value();
            check(false, "be created");
        }
        const bool replaces = std::filesystem::is_regular_file(old);
        if (std::filesystem::is_other(old)) {  // a device, a pipe
            throw IoError(concat(name_, ": is no regular file, and cannot be replaced by one"));
        }
        if (replaces) permissions_ = old.permissions();
        // Never more to others than the old file allowed, also while it is written.
        const auto mode = static_cast<unsigned>(old.permissions()) & 0666;
        temporary_ = create_unique_file(temporary_stem().string(), replaces ? mode | 0600 : 0666);
        if (!temporary_.empty()) file_.open(temporary_, std::ios::binary);
        check(file_.is_open(), "be created");
    }
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile() {
        if (committed_) return;
        file_.close();
        std::error_code ignored;
        std::filesystem::remove(temporary_, ignored);
    }

    void write(const void* bytes, std::size_t count) {
        file_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
    }

    void commit() {
        file_.close();
        check(file_.good() && sync_to_disk(temporary_.c_str()), "be written in full");
        std::error_code error;
        if (permissions_) std::filesystem::permissions(temporary_, *permissions_, error);
        std::filesystem::rename(temporary_, target_, error);
        if (error) errno = error.value();
        check(!error, "be put in place");
        committed_ = true;
        // The new name lies in the folder, which has to reach the disk too. Some folders cannot be
        // read, or not be synced.
        const auto folder = target_.parent_path();
        const bool synced = sync_to_disk(folder.empty() ? "." : folder.string().c_str());
        check(synced || errno == EACCES || errno == EINVAL || errno == ENOTSUP,
              "be said to be on the disk");
    }

private:
    /// The file's name as the start of a longer one. A long name is cut by what is added to it, 32
    /// bytes at most: where the file may have its name, so may the temporary one.
    std::filesystem::path temporary_stem() const {
        std::string name = target_.filename().string();
        std::size_t kept = (std::min)(name.size(), (std::max<std::size_t>)(name.size(), 132) - 32);
        // Not within a character of UTF-8, which some file systems refuse.
        while (kept > 0 && kept < name.size() && (name[kept] & 0xC0) == 0x80) --kept;
        name.resize(kept);
        return std::filesystem::path(target_).replace_filename(name);
    }

    void check(bool holds, std::string_view what) const {
        if (holds) return;
        throw IoError(concat(name_, ": cannot ", what, ": ",
                             std::error_code(errno, std::generic_category()).message()));
    }

    std::string name_;
    std::filesystem::path target_;
    std::string temporary_;
    std::optional<std::filesystem::perms> permissions_ = {};  ///< of the old file
    std::ofstream file_;
    bool committed_ = false;
};

}  // namespace weft::detail
