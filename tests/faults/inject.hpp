/// \file
/// Failures on purpose: any operation of the process that may fail does, when it is told to.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft::faults {

/// What can fail, and the error that it then has.
enum class Kind {
    memory,       ///< malloc and its kin, operator new; of sanitizers' builds operator new alone
    thread,       ///< pthread_create: EAGAIN
    open,         ///< fopen, open, openat, opendir: EMFILE
    read,         ///< read, readdir, readlink: EIO
    short_read,   ///< read gives half of what it could: no failure
    write,        ///< write, writev: ENOSPC
    short_write,  ///< write and writev take half of what they are given: no failure
    seek,         ///< lseek: EIO
    sync,         ///< fsync: EIO
    rename,       ///< EACCES
    close,        ///< fclose, close, which close: EIO
    look,         ///< stat, fstat, lstat: EACCES
    change,       ///< mkdir, chmod, truncate, realpath: EACCES
    remove,       ///< unlink, remove: EACCES
};
inline constexpr int kinds = 14;

std::string_view name_of(Kind kind);

/// While one exists, the n-th operation of its kind fails, from 1, in all threads; and, if it lasts,
/// all behind it. What OpenMP's library and the dynamic linker do is spared: they end the program
/// where they get no memory. Nothing that is synced waits for a disk.
class Failing {
public:
    Failing(Kind kind, std::int64_t n, bool lasts);
    Failing(const Failing&) = delete;
    Failing& operator=(const Failing&) = delete;
    ~Failing();

    /// Of operations of that kind.
    std::int64_t count() const;
};

/// Blocks of the heap that are in use; 0 where sanitizers count them.
std::int64_t live_blocks();
/// Files that are open.
int open_files();

}  // namespace weft::faults
