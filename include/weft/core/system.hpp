/// \file
/// Calls of the operating system: files on the disk, the terminal, the C library. Only the few
/// headers that need it include it: it brings in the system's names, such as open and close.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

namespace weft::detail {

/// The C library that the program runs with, "glibc 2.36"; empty if unknown.
#if defined(_CS_GNU_LIBC_VERSION)
inline std::string c_library() {
    char text[64] = "";
    confstr(_CS_GNU_LIBC_VERSION, text, sizeof text);
    return text;
}
#else
inline std::string c_library() { return {}; }
#endif

/// The file with a name; of a symbolic link, its target.
struct FileStatus {
    int error = 0;  ///< an errno: ENOENT where there is no such file, ...
    bool is_regular = false, is_directory = false;
    std::uint64_t size_bytes = 0;
};

/// stdout_is_terminal: whether standard output goes to a terminal.
///
/// file_status: see FileStatus. resize_file sets a file's size; on failure it returns false and
/// sets errno.
///
/// create_unique_file creates an empty file whose name starts with `stem`, and returns the name.
/// Its permissions are `mode` without the process's umask. On failure the name is empty and errno
/// is set.
///
/// sync_to_disk returns when all writes to the file or folder are on the disk; on failure it
/// returns false and sets errno.
#if defined(_WIN32)
inline bool stdout_is_terminal() { return _isatty(1) != 0; }
inline FileStatus file_status(const char* name) {
    struct _stat64 status;
    if (_stat64(name, &status) != 0) return {.error = errno};
    const int type = status.st_mode & _S_IFMT;
    return {0, type == _S_IFREG, type == _S_IFDIR, static_cast<std::uint64_t>(status.st_size)};
}
inline bool resize_file(const char* name, std::uint64_t size_bytes) {
    const int file = _open(name, _O_RDWR | _O_BINARY);
    const bool resized = file >= 0 && _chsize_s(file, static_cast<long long>(size_bytes)) == 0;
    if (file >= 0) _close(file);
    return resized;
}
inline std::string create_unique_file(const std::string& stem, unsigned /*mode*/) {
    std::string name = stem + ".XXXXXX";
    if (_mktemp_s(name.data(), name.size() + 1) != 0) return {};
    const int file = _open(name.c_str(), _O_CREAT | _O_EXCL | _O_RDWR | _O_BINARY, 0600);
    if (file < 0) return {};
    _close(file);
    return name;
}
inline bool sync_to_disk(const char* path) {
    const int file = _open(path, _O_RDWR | _O_BINARY);
    const bool synced = file >= 0 && _commit(file) == 0;
    if (file >= 0) _close(file);
    return synced;
}
#else
inline bool stdout_is_terminal() { return isatty(STDOUT_FILENO) != 0; }
inline FileStatus file_status(const char* name) {
    struct stat status;
    if (stat(name, &status) != 0) return {.error = errno};
    return {0, S_ISREG(status.st_mode), S_ISDIR(status.st_mode),
            static_cast<std::uint64_t>(status.st_size)};
}
inline bool resize_file(const char* name, std::uint64_t size_bytes) {
    return truncate(name, static_cast<off_t>(size_bytes)) == 0;
}
inline std::string create_unique_file(const std::string& stem, unsigned mode) {
    // mkstemp takes no mode, and reading the umask means changing it for all threads.
    for (int number = 0;; ++number) {
        std::string name = stem + "." + std::to_string(getpid()) + "." + std::to_string(number);
        const int file = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
        if (file >= 0) {
            close(file);
            return name;  // without a copy: there is a file to remove now
        }
        if (errno != EEXIST) return {};
    }
}
inline bool sync_to_disk(const char* path) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && fsync(file) == 0;
    if (file >= 0) close(file);
    return synced;
}
#endif

}  // namespace weft::detail
