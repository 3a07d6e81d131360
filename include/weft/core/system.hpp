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
#include <process.h>
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

/// The name of a file as the system takes it. On Windows `char` cannot name every file, so paths
/// have wide names there.
struct NativeName {
    const char* text = nullptr;
    const wchar_t* wide = nullptr;

    NativeName(const char* name) : text(name) {}
    NativeName(const wchar_t* name) : wide(name) {}
};

/// WideName keeps a wide name, where the system has any.
///
/// stdout_is_terminal: whether standard output goes to a terminal.
///
/// file_status: see FileStatus. resize_file sets a file's size; on failure it returns false and
/// sets errno. remove_file ignores failures.
///
/// create_unique_file creates an empty file whose name starts with `stem`, and returns the name.
/// Its permissions are `mode` without the process's umask. On failure the name is empty and errno
/// is set.
///
/// sync_to_disk returns when all writes to the file or folder are on the disk; on failure it
/// returns false and sets errno.
#if defined(_WIN32)
inline constexpr bool has_wide_names = true;
using WideName = std::wstring;

inline bool stdout_is_terminal() { return _isatty(1) != 0; }
inline int open_file(NativeName name, int flags) {
    flags |= _O_BINARY;
    return name.wide ? _wopen(name.wide, flags, 0600) : _open(name.text, flags, 0600);
}
inline FileStatus file_status(NativeName name) {
    struct _stat64 status;
    if ((name.wide ? _wstat64(name.wide, &status) : _stat64(name.text, &status)) != 0) {
        return {.error = errno};
    }
    const int type = status.st_mode & _S_IFMT;
    return {0, type == _S_IFREG, type == _S_IFDIR, static_cast<std::uint64_t>(status.st_size)};
}
inline bool resize_file(NativeName name, std::uint64_t size_bytes) {
    const int file = open_file(name, _O_RDWR);
    const bool resized = file >= 0 && _chsize_s(file, static_cast<long long>(size_bytes)) == 0;
    if (file >= 0) _close(file);
    return resized;
}
inline void remove_file(NativeName name) {
    static_cast<void>(name.wide ? _wunlink(name.wide) : _unlink(name.text));
}
template <class Char>
std::basic_string<Char> create_unique_file(const std::basic_string<Char>& stem, unsigned) {
    for (int number = 0;; ++number) {
        const std::string end = "." + std::to_string(_getpid()) + "." + std::to_string(number);
        std::basic_string<Char> name = stem;
        name.append(end.begin(), end.end());
        const int file = open_file(name.c_str(), _O_CREAT | _O_EXCL | _O_RDWR);
        if (file >= 0) {
            _close(file);
            return name;
        }
        if (errno != EEXIST) return {};
    }
}
inline bool sync_to_disk(NativeName path) {
    const int file = open_file(path, _O_RDWR);
    const bool synced = file >= 0 && _commit(file) == 0;
    if (file >= 0) _close(file);
    return synced;
}
#else
inline constexpr bool has_wide_names = false;
struct WideName {
    static constexpr bool empty() { return true; }
    static constexpr const wchar_t* c_str() { return nullptr; }
};

inline bool stdout_is_terminal() { return isatty(STDOUT_FILENO) != 0; }
inline FileStatus file_status(NativeName name) {
    struct stat status;
    if (stat(name.text, &status) != 0) return {.error = errno};
    return {0, S_ISREG(status.st_mode), S_ISDIR(status.st_mode),
            static_cast<std::uint64_t>(status.st_size)};
}
inline bool resize_file(NativeName name, std::uint64_t size_bytes) {
    return truncate(name.text, static_cast<off_t>(size_bytes)) == 0;
}
inline void remove_file(NativeName name) { unlink(name.text); }
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
inline bool sync_to_disk(NativeName path) {
    const int file = open(path.text, O_RDONLY | O_CLOEXEC);
    const bool synced = file >= 0 && fsync(file) == 0;
    if (file >= 0) close(file);
    return synced;
}
#endif

}  // namespace weft::detail
