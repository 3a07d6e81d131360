#include "weft/report/tensorboard_logger.hpp"

#include "src/report/event_file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

using namespace weft;

namespace {

/// A run of so many epochs: loss 1 / epoch, learning rate 0.5.
class ScriptedRun final : public TrainingRun {
public:
    Index epoch() const override { return epoch_; }
    Index epochs() const override { return 3; }
    Index ended_epochs() const override { return epoch_; }
    Index step() const override { return 1; }
    Scores scores() const override {
        Scores scores;
        scores.set("loss", 1 / static_cast<double>(epoch_));
        scores.set("val_loss", std::numeric_limits<double>::quiet_NaN());
        return scores;
    }
    std::vector<std::string> score_names() const override { return {"loss", "val_loss"}; }
    double learning_rate() const override { return 0.5; }
    void set_learning_rate(double) override {}
    void stop() override {}
    Buffer save_weights() const override { return {}; }
    std::size_t weights_bytes() const override { return 0; }
    void load_weights(const Buffer&) override {}

    bool is_resumed() const override { return is_resumed_; }

    Index epoch_ = 0;
    bool is_resumed_ = false;
};

std::uint64_t little_endian(std::string_view bytes, std::size_t count) {
    std::uint64_t number = 0;
    for (std::size_t i = count; i-- > 0;) {
        number = number << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return number;
}

/// The data of all records, their checks looked at.
std::vector<std::string> records_of(const std::string& file) {
    std::vector<std::string> records;
    for (std::string_view rest = file; !rest.empty();) {
        const std::size_t size = little_endian(rest, 8);
        REQUIRE(rest.size() >= size + 16);
        CHECK(little_endian(rest.substr(8), 4) == detail::masked_crc32c(rest.substr(0, 8)));
        CHECK(little_endian(rest.substr(12 + size), 4) ==
              detail::masked_crc32c(rest.substr(12, size)));
        records.emplace_back(rest.substr(12, size));
        rest.remove_prefix(size + 16);
    }
    return records;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

}  // namespace

TEST_CASE("A masked check is the rotated CRC-32C plus a constant") {
    // CRC-32C of "123456789" is E3069283: rotated right by 15 bits 2507C60D, plus A282EAD8.
    CHECK(detail::masked_crc32c("123456789") == 0xC78AB0E5);
}

TEST_CASE("Messages are laid out as protocol buffers") {
    using detail::ProtobufMessage;
    // The examples of protobuf.dev, "Encoding": field 1 is 150; field 2 is "testing".
    CHECK(ProtobufMessage().varint(1, 150).bytes() == "\x08\x96\x01");
    CHECK(ProtobufMessage().text(2, "testing").bytes() == "\x12\x07testing");
    CHECK(ProtobufMessage().real(1, 1.0).bytes() == std::string("\x09\0\0\0\0\0\0\xF0\x3F", 9));
    CHECK(ProtobufMessage().real(2, 0.5f).bytes() == std::string("\x15\0\0\0\x3F", 5));
    CHECK(ProtobufMessage().varint(2, 0).bytes() == std::string("\x10\0", 2));
    CHECK(ProtobufMessage().varint(2, ~std::uint64_t{0}).bytes() ==
          "\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
}

TEST_CASE("A log has its version, then a record an epoch, complete when the epoch ends") {
    const TemporaryFolder folder;
    TensorBoardLogger logger{.directory = folder.path() / "a/b"};
    ScriptedRun run;
    logger.on_train_begin(run);
    const auto files = files_in(folder.path() / "a/b");
    REQUIRE(files.size() == 1);
    CHECK(files[0].filename().string().starts_with("events.out.tfevents."));
    for (run.epoch_ = 1; run.epoch_ <= 3; ++run.epoch_) {
        logger.on_epoch_end(run);
        const auto records = records_of(contents_of(files[0]));
        REQUIRE(records.size() == static_cast<std::size_t>(run.epoch_ + 1));
        // Event: wall_time = 1, file_version = 3.
        CHECK(records[0][0] == '\x09');
        CHECK(records[0].substr(9) ==
              "\x1A\x0D"
              "brain.Event:2");
        // Event: wall_time = 1, step = 2, summary = 5 {value = 1 {tag = 1, simple_value = 2} ...}.
        const std::string& last = records.back();
        const double wall_seconds = std::bit_cast<double>(little_endian(last.substr(1), 8));
        CHECK(wall_seconds > 1.6e9);
        CHECK(wall_seconds < 1e11);
        const auto real = [](float number) {
            std::string bytes;
            detail::append_little_endian(bytes, std::bit_cast<std::uint32_t>(number));
            return bytes;
        };
        const std::string loss =
            concat("\x0A\x0B\x0A\x04loss\x15", real(1 / static_cast<float>(run.epoch_)));
        const std::string val_loss =
            "\x0A\x0F\x0A\x08val_loss\x15" + real(std::numeric_limits<float>::quiet_NaN());
        const std::string rate = concat(
            "\x0A\x14\x0A\x0D"
            "learning_rate\x15",
            real(0.5f));
        CHECK(last.substr(9) ==
              concat("\x10", static_cast<char>(run.epoch_), "\x2A",
                     static_cast<char>(loss.size() + val_loss.size() + rate.size()), loss, val_loss,
                     rate));
    }
    logger.on_train_end(run);
}

TEST_CASE("A resumed run's first record takes back what earlier logs say of its epochs") {
    const TemporaryFolder folder;
    TensorBoardLogger logger{.directory = folder.path()};
    ScriptedRun run;
    run.is_resumed_ = true;
    logger.on_train_begin(run);
    for (run.epoch_ = 5; run.epoch_ <= 6; ++run.epoch_) logger.on_epoch_end(run);
    logger.on_train_end(run);
    const auto records = records_of(contents_of(files_in(folder.path()).at(0)));
    REQUIRE(records.size() == 4);
    // Event: wall_time = 1, step = 2, session_log = 7 {status = 1: START}.
    CHECK(records[1].substr(9) == "\x10\x05\x3A\x02\x08\x01");
    CHECK(records[2].substr(9).starts_with("\x10\x05\x2A"));
    CHECK(records[3].substr(9).starts_with("\x10\x06\x2A"));
}

TEST_CASE("Each run has a log of its own; a place that cannot be written is told") {
    const TemporaryFolder folder;
    TensorBoardLogger logger{.directory = folder.path()};
    ScriptedRun run;
    for (int i = 0; i < 3; ++i) {
        logger.on_train_begin(run);
        logger.on_train_end(run);
    }
    CHECK(files_in(folder.path()).size() == 3);
    TensorBoardLogger nowhere{.directory = folder.file("a file", "text") / "logs"};
    CHECK_THROWS_WITH_AS(nowhere.on_train_begin(run), doctest::Contains("logs: cannot be created"),
                         IoError);
}
