#include "weft/core/file_name.hpp"

#include "weft/core/atomic_file.hpp"
#include "weft/data/idx.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <type_traits>

using namespace weft;

namespace {

/// A new folder, removed with all that is in it. On any system, with Greek, Chinese and an emoji in
/// its name, which no code page of Windows has together.
struct FolderOfTheWorld {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / (U"weft-Ωμέγα-文件-\U0001F9F5-" + number());

    FolderOfTheWorld() { REQUIRE(std::filesystem::create_directory(path)); }
    FolderOfTheWorld(const FolderOfTheWorld&) = delete;
    FolderOfTheWorld& operator=(const FolderOfTheWorld&) = delete;
    ~FolderOfTheWorld() { std::filesystem::remove_all(path); }

    static std::u32string number() {
        const std::string digits = std::to_string(std::random_device{}());
        return {digits.begin(), digits.end()};
    }
};

std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string message_of(auto call) {
    try {
        call();
    } catch (const IoError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("FileName is made of text, and of a path") {
    const std::string text = "logs/run.csv";
    const auto name = [](const FileName& file) { return file.string(); };
    CHECK(name("logs/run.csv") == text);
    CHECK(name(text) == text);
    CHECK(name(std::string_view(text).substr(5)) == "run.csv");
    CHECK(name(std::filesystem::path("logs") / "run.csv") ==
          (std::filesystem::path("logs") / "run.csv").string());
    CHECK(name(std::filesystem::path(u8"größe/Ω.csv")) == "größe/Ω.csv");
    CHECK_FALSE(std::is_convertible_v<int, FileName>);
}

TEST_CASE("FileName hands on the name as the system takes it") {
    const FileName text("a.csv");
    CHECK(text.native().text == text.string());
    CHECK(text.native().wide == nullptr);
    const std::filesystem::path path = u8"\u03a9.csv";
    const FileName name(path);
    const detail::NativeName native = name.native();
    const bool is_wide = std::is_same_v<std::filesystem::path::value_type, wchar_t>;
    CHECK((native.wide != nullptr) == is_wide);
    CHECK((native.text != nullptr) != is_wide);
    CHECK((is_wide ? std::filesystem::path(native.wide) : std::filesystem::path(native.text)) ==
          path);
}

TEST_CASE("files of any name are replaced as a whole") {
    const FolderOfTheWorld folder;
    const std::filesystem::path path = folder.path / u8"Modell-ß-模型.txt";
    for (const std::string text : {"first", "second"}) {
        detail::AtomicFile file(path);
        file.write(text.data(), text.size());
        file.commit();
        CHECK(contents(path) == text);
    }
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a CSVLogger writes to a file of any name, and continues it") {
    const FolderOfTheWorld folder;
    const std::filesystem::path path = folder.path / u8"Протокол.csv";
    const Tensor<float> x({2, 1}, {1, 2}), y({2, 1}, {0.5, 1.25});
    for (const bool append : {false, true}) {
        Sequential<float> model{Dense{1}};
        Trainer trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.epochs = 2,
                     .verbosity = Verbosity::silent,
                     .callbacks = {CSVLogger{.path = path, .append = append}}});
    }
    const std::string text = contents(path);
    CHECK(text.starts_with("epoch,learning_rate,loss"));
    CHECK(std::ranges::count(text, '\n') == 5);

    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const auto refused = [&] {
        trainer.fit(x, y,
                    {.verbosity = Verbosity::silent,
                     .callbacks = {CSVLogger{.path = path, .separator = ';', .append = true}}});
    };
    CHECK(message_of(refused).find("Протокол.csv: has the columns epoch,learning_rate,loss, ") !=
          std::string::npos);
}

TEST_CASE("read_idx reads a file of any name, and names one that is not there") {
    const FolderOfTheWorld folder;
    const std::filesystem::path path = folder.path / u8"画像.idx";
    std::ofstream(path, std::ios::binary) << std::string("\0\0\x08\x01\0\0\0\x02*+", 10);
    const Tensor<std::uint8_t> read = read_idx<std::uint8_t>(path);
    REQUIRE(read.shape() == Shape{2});
    CHECK(read[1] == '+');
    std::filesystem::remove(path);
    CHECK(message_of([&] { read_idx<std::uint8_t>(path); }).ends_with("画像.idx: no such file"));
}
