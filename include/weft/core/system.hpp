/// \file
/// What weft asks of the operating system: files on the disk, the terminal, the C library. Included
/// by the few headers that need it, for it brings in the system's own names, such as open and
/// close.
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

/// The C library that the program runs with: "glibc 2.36"; empty where it does not say.
#if defined(_CS_GNU_LIBC_VERSION)
inline std::string c_library() {
    char text[64] = "";
    confstr(_CS_GNU_LIBC_VERSION, text, sizeof text);
    return text;
}
#else
inline std::string c_library() { return {}; }
#endif

/// What a name stands for; a link is what it leads to.
struct FileStatus {
    int error = 0;  ///< an errno: ENOENT where there is no such file, ...
    bool is_regular = false, is_directory = false;
    std::uint64_t size_bytes = 0;
};

/// stdout_is_terminal: whether somebody may be looking.
///
/// file_status says what a name stands for. resize_file cuts a file to that size. False: it cannot,
/// and errno is set.
///
/// create_unique_file makes a new, empty file whose name starts with `stem`, and gives its name.
/// Its permissions are those of `mode` that the process gives new files. When it cannot, the name
/// is empty and errno is set.
///
/// sync_to_disk returns when all that was written to the file or folder is on the disk. False: it
/// cannot be told, and errno is set.
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
    // mkstemp knows no mode, and umask cannot be read without being changed for all threads.
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
