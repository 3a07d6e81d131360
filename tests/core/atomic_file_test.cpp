#include "weft/core/atomic_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

using namespace weft;
namespace fs = std::filesystem;

namespace {

/// What fsync was called for, while one is there; and the call that fails, from 0.
struct Syncs {
    fs::path target;
    int failing = -1;
    struct Call {
        fs::path path;
        std::string target_holds;
    };
    std::vector<Call> calls = {};
};
Syncs* watched = nullptr;

}  // namespace

/// In the place of the C library's: does the same, and takes note.
extern "C" int fsync(int file) {
    if (watched != nullptr) {
        const auto path = fs::read_symlink("/proc/self/fd/" + std::to_string(file));
        watched->calls.push_back({path, contents_of(watched->target)});
        if (watched->failing + 1 == static_cast<int>(watched->calls.size())) {
            errno = EIO;
            return -1;
        }
    }
    return static_cast<int>(syscall(SYS_fsync, file));
}

namespace {

/// Writes the text to a file, and returns what was synced, and what was thrown.
std::pair<std::vector<Syncs::Call>, std::string> write_watched(const fs::path& path,
                                                               std::string_view text,
                                                               int failing = -1) {
    Syncs syncs{path, failing};
    watched = &syncs;
    std::string message;
    try {
        detail::AtomicFile file(path);
        file.write(text.data(), text.size());
        file.commit();
    } catch (const IoError& error) {
        message = error.what();
    }
    watched = nullptr;
    return {syncs.calls, message};
}

std::ptrdiff_t files_in(const fs::path& folder) {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

}  // namespace

TEST_CASE("a file is on the disk before it is in its place, and its place thereafter") {
    const TemporaryFolder folder;
    const fs::path path = folder.file("a", "old");
    const auto [calls, message] = write_watched(path, "new");
    CHECK(message == "");
    REQUIRE(calls.size() == 2);
    CHECK(calls[0].path.string().starts_with(path.string() + "."));
    CHECK(calls[0].target_holds == "old");
    CHECK(calls[1].path == fs::canonical(folder.path()));
    CHECK(calls[1].target_holds == "new");
    CHECK(contents_of(path) == "new");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a disk that fails is told of") {
    const TemporaryFolder folder;
    const fs::path path = folder.file("a", "old");
    CHECK(write_watched(path, "new", 0).second ==
          path.string() + ": cannot be written in full: Input/output error");
    CHECK(contents_of(path) == "old");
    CHECK(files_in(folder.path()) == 1);
    CHECK(write_watched(path, "new", 1).second ==
          path.string() + ": cannot be synced to the disk: Input/output error");
    CHECK(contents_of(path) == "new");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a name may be as long as the file system takes") {
    const TemporaryFolder folder;
    const auto write = [&](const std::string& name) {
        CHECK(write_watched(folder.file(name, "old"), "new").second == "");
        CHECK(contents_of(folder.path() / name) == "new");
        CHECK(files_in(folder.path()) == 1);
        fs::remove(folder.path() / name);
    };
    for (const std::size_t length : {1U, 99U, 100U, 101U, 132U, 133U, 223U, 224U, 250U, 255U}) {
        CAPTURE(length);
        write(std::string(length, 'a'));
        // Two bytes a letter: the temporary name ends between two letters.
        std::string letters;
        while (letters.size() + 2 <= length) letters += "\u00e4";
        if (letters.size() < length) letters += "a";
        write(letters);
        const fs::path path = folder.path() / letters;
        detail::AtomicFile file(path);
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            const std::string temporary = entry.path().filename().string();
            const std::string start = temporary.substr(0, temporary.find('.'));
            CHECK(letters.starts_with(start));
            CHECK((start.size() % 2 == 0 || start == letters));
            CHECK(temporary.size() <= std::max<std::size_t>(length, 132));
        }
    }
    const std::string too_long = folder / std::string(256, 'a');
    CHECK_THROWS_WITH_AS(detail::AtomicFile{too_long},
                         (too_long + ": cannot be created: File name too long").c_str(), IoError);
}

TEST_CASE("what is not committed leaves nothing") {
    const TemporaryFolder folder;
    const fs::path path = folder.file("a", "old");
    {
        detail::AtomicFile(path).write("new", 3);
    }
    CHECK(contents_of(path) == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("what a crash left beside a file is in nobody's way") {
    const TemporaryFolder folder;
    const fs::path path = folder.file("a", "old");
    for (int number = 0; number < 3; ++number) {
        folder.file(concat("a.", getpid(), ".", number), "left");
    }
    CHECK(write_watched(path, "new").second == "");
    CHECK(contents_of(path) == "new");
    CHECK(files_in(folder.path()) == 4);
}

namespace {

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions()) & 0777;
}

}  // namespace

TEST_CASE("a new file has the process's permissions, another its old ones") {
    const TemporaryFolder folder;
    const fs::path fresh = folder.path() / "new", old = folder.file("old", "");
    const mode_t mask = umask(027);
    detail::AtomicFile(fresh).commit();
    CHECK(mode_of(fresh) == 0640);
    for (const unsigned mode : {0600U, 0444U, 0755U, 0666U}) {
        fs::permissions(old, static_cast<fs::perms>(mode));
        detail::AtomicFile(old).commit();
        CHECK(mode_of(old) == mode);
    }
    umask(mask);
}

TEST_CASE("what replaces a secret file is one from the start") {
    const TemporaryFolder folder;
    const fs::path secret = folder.file("secret", "old");
    fs::permissions(secret, static_cast<fs::perms>(0600));
    const mode_t mask = umask(0);
    {
        detail::AtomicFile file(secret);
        CHECK(files_in(folder.path()) == 2);
        for (const auto& entry : fs::directory_iterator(folder.path())) {
            CHECK(mode_of(entry.path()) == 0600);
        }
    }
    const std::string made = detail::create_unique_file((folder.path() / "b").string(), 0600);
    CHECK(mode_of(made) == 0600);
    umask(mask);
}

TEST_CASE("a link to nothing stays one, and gets what it names") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "sub");
    fs::create_symlink("sub/file", folder.path() / "link");
    fs::create_symlink("link", folder.path() / "link to it");
    detail::AtomicFile file(folder.path() / "link to it");
    file.write("new", 3);
    file.commit();
    CHECK(fs::is_symlink(folder.path() / "link to it"));
    CHECK(fs::is_symlink(folder.path() / "link"));
    CHECK(contents_of(folder.path() / "sub" / "file") == "new");
}

TEST_CASE("what is not a regular file is not replaced by one") {
    const TemporaryFolder folder;
    const fs::path pipe = folder.path() / "pipe";
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK_THROWS_WITH_AS(detail::AtomicFile{pipe},
                         (pipe.string() + ": is not a regular file and cannot be replaced").c_str(),
                         IoError);
    CHECK(fs::is_fifo(pipe));
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("threads that write at once leave the process's mask alone") {
    const TemporaryFolder folder;
    const mode_t mask = umask(022);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 300; ++i) detail::AtomicFile file(folder.path() / "a");
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(umask(mask) == 022);
    CHECK(files_in(folder.path()) == 0);
}
