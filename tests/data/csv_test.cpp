#include "weft/data/csv.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

template <class Scalar = std::uint8_t>
CsvTable<Scalar> read(const std::string& text, const CsvOptions& options = {}) {
    const TemporaryFolder folder;
    return read_csv<Scalar>(folder.file("data.csv", text), options);
}

/// What is wrong with the text, without the file's name, which the message has to start with.
template <class Scalar = std::uint8_t>
std::string csv_error(const std::string& text, const CsvOptions& options = {}) {
    const TemporaryFolder folder;
    const auto path = folder.file("data.csv", text);
    return io_error(path, [&] { read_csv<Scalar>(path, options); });
}

const CsvOptions no_labels{.label_column = ""};

}  // namespace

TEST_CASE("pixels and labels are read by the names of their columns") {
    const auto table = read("label,pixel1,pixel2\n9,0,255\n0,17,3\n");
    CHECK(table.columns == std::vector<std::string>{"pixel1", "pixel2"});
    CHECK(table.x.shape() == Shape{2, 2});
    CHECK(values_of(table.x) == std::vector<std::uint8_t>{0, 255, 17, 3});
    CHECK(values_of(table.labels) == std::vector<std::int32_t>{9, 0});

    const auto last = read("a,b,class\n1,2,3\n", {.label_column = "class"});
    CHECK(values_of(last.x) == std::vector<std::uint8_t>{1, 2});
    CHECK(values_of(last.labels) == std::vector<std::int32_t>{3});
}

TEST_CASE("columns are numbered where no line names them, and labels may be missing") {
    const auto first =
        read("7;1;2\n8;3;4", {.label_column = "0", .header = false, .separator = ';'});
    CHECK(first.columns == std::vector<std::string>{"1", "2"});
    CHECK(values_of(first.x) == std::vector<std::uint8_t>{1, 2, 3, 4});
    CHECK(values_of(first.labels) == std::vector<std::int32_t>{7, 8});
    const auto unlabelled = read("a,b\n1,2\n", no_labels);
    CHECK(values_of(unlabelled.x) == std::vector<std::uint8_t>{1, 2});
    CHECK(unlabelled.labels.size() == 0);
}

TEST_CASE("spaces, quotes, CRLF, a byte order mark and empty lines are borne") {
    const auto table = read<float>(
        "\xEF\xBB\xBF\"label\", \"a \"\"b\"\"\" ,c\r\n\r\n1 ,\"2\",\t3e-1\r\n\n 4,-5,6\n");
    CHECK(table.columns == std::vector<std::string>{"a \"b\"", "c"});
    CHECK(values_of(table.x) == std::vector<float>{2, 0.3f, -5, 6});
    CHECK(values_of(table.labels) == std::vector<std::int32_t>{1, 4});
}

TEST_CASE("floating-point numbers are those nearest to the text") {
    const auto table = read<float>("0.1,-3,1e-3,16777217\n", {.label_column = "", .header = false});
    CHECK(values_of(table.x) == std::vector<float>{0.1f, -3, 1e-3f, 16777216});
    const auto wide = read<double>("0.1,123456789012\n", {.label_column = "", .header = false});
    CHECK(values_of(wide.x) == std::vector<double>{0.1, 123456789012});
    CHECK(values_of(read("a\n255.0\n1e2\n", no_labels).x) == std::vector<std::uint8_t>{255, 100});
}

TEST_CASE("what is wrong is named with its line and column") {
    const std::string header = "label,a,b\n";
    CHECK(csv_error("") == "the file is empty");
    CHECK(csv_error("\n\n") == "line 2: the file is empty");
    CHECK(csv_error(header) == "line 1: no samples follow the header");
    CHECK(csv_error(header + "1,2,3\n1,2\n") == "line 3: has 2 fields, expected 3");
    CHECK(csv_error(header + "\n1,2,3,4\n") == "line 3: has 4 fields, expected 3");
    CHECK(csv_error("a,b\n1,2\n") == "has 0 columns \"label\", expected one");
    CHECK(csv_error("label,label\n1,2\n") == "has 2 columns \"label\", expected one");
    CHECK(csv_error(header + "1,2,256\n") ==
          "line 2: column \"b\" is \"256\", expected an integer from 0 to 255");
    CHECK(csv_error(header + "1,-1,2\n") ==
          "line 2: column \"a\" is \"-1\", expected an integer from 0 to 255");
    CHECK(csv_error(header + "1,2.5,2\n").ends_with("expected an integer from 0 to 255"));
    CHECK(csv_error(header + "1,,2\n").starts_with("line 2: column \"a\" is \"\", expected"));
    CHECK(csv_error(header + "-1,2,3\n") ==
          "line 2: column \"label\" is \"-1\", expected an integer from 0 to 2147483647");
    CHECK(csv_error(header + "shoe,2,3\n").starts_with("line 2: column \"label\" is \"shoe\""));
    CHECK(csv_error<float>(header + "1,2,nan\n") ==
          "line 2: column \"b\" is \"nan\", expected a finite number");
    CHECK(csv_error<float>(header + "1,2,inf\n").ends_with("expected a finite number"));
    CHECK(csv_error<float>(header + "1,2,1e99\n").ends_with("expected a finite number"));
    CHECK(csv_error<float>(header + "1,2,3x\n").ends_with("is \"3x\", expected a finite number"));
    CHECK(csv_error(header + "1,\"2,3\n") == "line 2: a quote is not closed");
    CHECK(csv_error(header + "1,\"2\"3,4\n") == "line 2: text follows a quoted field");
    CHECK(csv_error(header + "1,2,\x01" + std::string(100, 'x') + "\n") ==
          "line 2: column \"b\" is \"?" + std::string(31, 'x') +
              "...\", expected an integer from 0 to 255");
    CHECK_THROWS_WITH_AS(read_csv<float>("no/such.csv"), "no/such.csv: no such file", IoError);
}

TEST_CASE("every prefix and every changed byte is a table or an IoError") {
    const std::string whole = "label,\"a\",b\r\n1,20,300\n4,\"5\",60\n";
    const auto read_or_refuse = [&](const std::string& text) {
        try {
            const auto table = read<float>(text);
            CHECK(table.x.shape()[0] == table.labels.size());
        } catch (const IoError&) {
        }
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
        read_or_refuse(whole.substr(0, i));
        for (int flip = 1; flip < 256; ++flip) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            read_or_refuse(changed);
        }
    }
}
