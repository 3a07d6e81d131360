/// \file
/// AtomicFile: a file that is replaced as a whole or not at all.
#pragma once

#include "weft/core/error.hpp"
#include "weft/core/file_name.hpp"
#include "weft/core/system.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

namespace weft::detail {

/// Writes a new file beside the path; commit() moves it there. At any moment, also after a crash or
/// on a full disk, the path has either the old contents or all of the new ones. The file keeps its
/// permissions; a symbolic link stays a link. Without commit() the new file is removed. Several
/// threads and processes may write to one path. Throws IoError, which names the path.
class AtomicFile {
public:
    explicit AtomicFile(const std::filesystem::path& path) : name_(FileName(path).string()) {
        std::error_code ignored;
        target_ = std::filesystem::weakly_canonical(path, ignored);
        if (ignored) target_ = path;
        // weakly_canonical does not follow a link whose target is missing. A path that cannot be
        // examined, also because its name is too long, may be a link or a file with permissions:
        // it is not replaced.
        std::error_code error;
        for (int links = 0; links < 40; ++links) {
            const auto status = symlink_status(target_, error);
            check(status.type() != std::filesystem::file_type::none, "be created", error);
            if (!is_symlink(status)) break;
            const std::filesystem::path to = read_symlink(target_, error);
            check(!error, "be created", error);
            target_ = target_.parent_path() / to;
        }
        const auto old = std::filesystem::status(target_, error);
        check(old.type() != std::filesystem::file_type::none, "be created", error);
        const bool replaces = std::filesystem::is_regular_file(old);
        if (std::filesystem::is_other(old)) {  // a device, a pipe
            throw IoError(concat(name_, ": is not a regular file and cannot be replaced"));
        }
        if (replaces) permissions_ = old.permissions();
        // Others never get more rights than the old file gave them, not even during writing.
        const auto mode = static_cast<unsigned>(old.permissions()) & 0666;
        temporary_.name =
            create_unique_file(temporary_stem().native(), replaces ? mode | 0600 : 0666);
        if (!temporary_.name.empty()) file_.open(temporary_.name.c_str(), std::ios::binary);
        check(file_.is_open(), "be created");
    }
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(const void* bytes, std::size_t count) {
        file_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count));
    }

    /// Without `synced`, a crash of the whole machine may leave half of a file: for many files,
    /// which are soon made again.
    void commit(bool synced = true) {
        file_.close();
        check(file_.good() && (!synced || sync_to_disk(temporary_.name.c_str())),
              "be written in full");
        std::error_code error;
        if (permissions_) std::filesystem::permissions(temporary_.name, *permissions_, error);
        std::filesystem::rename(temporary_.name, target_, error);
        check(!error, "be put in place", error);
        temporary_.name.clear();
        if (!synced) return;
        // The folder holds the new name and has to reach the disk too. Some folders cannot be read
        // or synced.
        const std::filesystem::path parent = target_.parent_path();
        const std::filesystem::path folder = parent.empty() ? "." : parent;
        const bool is_synced = sync_to_disk(folder.c_str());
        check(is_synced || errno == EACCES || errno == EINVAL || errno == ENOTSUP,
              "be synced to the disk");
    }

private:
    /// The temporary file; removed if it still has a name, also if the constructor of AtomicFile
    /// throws. Allocates nothing, as memory may have run out.
    struct Temporary {
        std::filesystem::path::string_type name;

        Temporary() = default;
        Temporary(const Temporary&) = delete;
        Temporary& operator=(const Temporary&) = delete;
        ~Temporary() {
            if (!name.empty()) remove_file(name.c_str());
        }
    };

    /// The file's name as the start of the temporary one. Names above 100 bytes, on Windows units of
    /// UTF-16, are cut by up to 32, room for what is appended. So the temporary name is legal
    /// wherever the file's is.
    std::filesystem::path temporary_stem() const {
        std::filesystem::path::string_type name = target_.filename().native();
        std::size_t kept = (std::min)(name.size(), (std::max<std::size_t>)(name.size(), 132) - 32);
        // Not within a UTF-8 character: some file systems refuse such names.
        while (kept > 0 && kept < name.size() && (name[kept] & 0xC0) == 0x80) --kept;
        name.resize(kept);
        return std::filesystem::path(target_).replace_filename(name);
    }

    void check(bool holds, std::string_view what) const {
        check(holds, what, {errno, std::generic_category()});
    }
    void check(bool holds, std::string_view what, std::error_code error) const {
        if (!holds) throw IoError(concat(name_, ": cannot ", what, ": ", error.message()));
    }

    std::string name_;
    std::filesystem::path target_;
    Temporary temporary_;  ///< before the stream, which is closed first
    std::optional<std::filesystem::perms> permissions_ = {};  ///< of the old file
    std::ofstream file_;
};

}  // namespace weft::detail
