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
    CHECK(
        csv_error<float>(header + "1,2,nan\n") ==
        "line 2: column \"b\" is \"nan\", expected a finite number; .missing_value puts one in its "
        "place");
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

TEST_CASE("numbers too small for the type are zeros, and a plus is a sign") {
    const auto table = read<float>("1e-50,-1e-50,+2.5,+0.5e+1,-2e-400,1.4e-45,0.0000001e-44\n",
                                   {.label_column = "", .header = false});
    CHECK(values_of(table.x) ==
          std::vector<float>{0, 0, 2.5f, 5, 0, std::numeric_limits<float>::denorm_min(), 0});
    CHECK(std::signbit(table.x[1]));
    const auto wide = read<double>("1e-400,-4.9e-324,1e-99999999999999999999\n",
                                   {.label_column = "", .header = false});
    CHECK(values_of(wide.x) ==
          std::vector<double>{0, -std::numeric_limits<double>::denorm_min(), 0});
    CHECK(values_of(read("a\n+7\n+2.0\n", no_labels).x) == std::vector<std::uint8_t>{7, 2});
    // A long number without an exponent, and one whose exponent undoes its zeros.
    const std::string many_zeros(400, '0');
    CHECK(read<double>("a\n0." + many_zeros + "1\n", no_labels).x[0] == 0);
    CHECK(read<double>("a\n0." + many_zeros + "1e401\n", no_labels).x[0] == 1);
    for (const std::string& text : std::vector<std::string>{
             "1" + many_zeros, "1" + many_zeros + "e1", "0.1e310", "1e99999999999999999999", "+-1",
             "++1", "+", "- 1", "1e", "1e+"}) {
        CAPTURE(text);
        CHECK(csv_error<double>("a\n" + text + "\n", no_labels)
                  .ends_with("expected a finite number"));
    }
    CHECK(csv_error("a\n1e-400\n", no_labels).ends_with("an integer from 0 to 255"));
}

TEST_CASE("an empty field between tabs is one, and so are blanks where they separate") {
    const CsvOptions tabs{.label_column = "", .header = false, .separator = '\t'};
    CHECK(csv_error<float>("1\t\t2\n", tabs).starts_with("line 1: column \"1\" is \"\""));
    CHECK(csv_error<float>("\t1\t2\n", tabs).starts_with("line 1: column \"0\" is \"\""));
    CHECK(csv_error<float>("1\t2\t\n", tabs).starts_with("line 1: column \"2\" is \"\""));
    CHECK(csv_error<float>("1\t2\n\t\n", tabs).starts_with("line 2: column \"0\" is \"\""));
    CHECK(values_of(read<float>(" 1 \t\"2\" \t 3\r\n \n4\t5\t6", tabs).x) ==
          std::vector<float>{1, 2, 3, 4, 5, 6});
    const CsvOptions blanks{.label_column = "", .header = false, .separator = ' '};
    CHECK(values_of(read<float>("1 2\n\t3 4\t\n", blanks).x) == std::vector<float>{1, 2, 3, 4});
    CHECK(csv_error<float>("1  2\n", blanks).starts_with("line 1: column \"1\" is \"\""));
    for (const char bad : {'"', '\n', '\r'}) {
        CHECK_THROWS_AS(read("a\n1\n", {.label_column = "", .separator = bad}), ArgumentError);
    }
}

TEST_CASE("numbers may have a decimal comma") {
    const CsvOptions commas{.separator = ';', .decimal_point = ','};
    const auto table = read<float>("label;a;b\n1;0,5;-1,25e1\n0;3;+,5\n", commas);
    CHECK(values_of(table.x) == std::vector<float>{0.5f, -12.5f, 3, 0.5f});
    CHECK(csv_error<float>("label;a\n1;1.234\n", commas) ==
          "line 2: column \"a\" is \"1.234\", expected a finite number");
    CHECK(csv_error<float>("label;a\n1;1,2,3\n", commas).ends_with("expected a finite number"));
}

TEST_CASE("missing numbers are refused, or replaced as the options say") {
    const std::string text = "label,a,b\n1,,2\n0,NA,3\n2, ? ,nan\n";
    const std::string hint = "; .missing_value puts one in its place";
    CHECK(csv_error<float>(text) ==
          "line 2: column \"a\" is \"\", expected a finite number" + hint);
    CHECK(csv_error("label,a\n1,NULL\n").ends_with(hint));
    CHECK_FALSE(csv_error("label,a\n1,x\n").ends_with(hint));
    CHECK(values_of(read<float>(text, {.missing_value = -1.5}).x) ==
          std::vector<float>{-1.5f, 2, -1.5f, 3, -1.5f, -1.5f});
    CHECK(values_of(read(text, {.missing_value = 7}).x) ==
          std::vector<std::uint8_t>{7, 2, 7, 3, 7, 7});
    const auto table = read<float>(text, {.missing_value = std::nan("")});
    CHECK(std::isnan(table.x[0]));
    CHECK(table.x[1] == 2);
    // Marks of one's own, also numbers.
    const CsvOptions own{.label_column = "", .missing_marks = {"-999", "-"}, .missing_value = 0};
    CHECK(values_of(read<float>("a,b\n-999,-\n1,-998\n", own).x) ==
          std::vector<float>{0, 0, 1, -998});
    CHECK(csv_error<float>("a,b\n1,\n", own).ends_with("expected a finite number"));
    CHECK(csv_error<float>("a,b\n1,x\n", {.label_column = "", .missing_value = 0})
              .ends_with("is \"x\", expected a finite number"));
    // A label cannot be made up.
    CHECK(csv_error<float>("label,a\n,1\n", {.missing_value = 0}) ==
          "line 2: column \"label\" is \"\", expected a class");
    CHECK_THROWS_WITH_AS(read(text, {.missing_value = 300}),
                         "read_csv: missing_value is 300, expected an integer from 0 to 255",
                         ArgumentError);
    CHECK_THROWS_AS(read(text, {.missing_value = std::nan("")}), ArgumentError);
}

TEST_CASE("names of classes are numbered in their order and given back") {
    using Names = std::vector<std::string>;
    const std::string text = "label,a\nshirt,1\n\"Ankle boot\",2\nshirt,3\nbag,4\n";
    const auto table = read(text);
    CHECK(table.classes == Names{"Ankle boot", "bag", "shirt"});
    CHECK(values_of(table.labels) == std::vector<std::int32_t>{2, 0, 2, 1});
    CHECK(values_of(table.x) == std::vector<std::uint8_t>{1, 2, 3, 4});
    CHECK(read("label,a\n1,1\n").classes.empty());
    // A test set without one of the classes numbers the others as the training set does.
    const auto test = read("label,a\nbag,1\nshirt,2\n", {.classes = table.classes});
    CHECK(values_of(test.labels) == std::vector<std::int32_t>{1, 2});
    CHECK(test.classes == table.classes);
    CHECK(csv_error("label,a\nbag,1\nhat,2\n", {.classes = table.classes}) ==
          "line 3: column \"label\" is \"hat\", expected one of the 3 names in classes");
    // Numbers can be names too, but only of a list.
    CHECK(values_of(read("label,a\n1,1\n-1,2\n", {.classes = {"-1", "1"}}).labels) ==
          std::vector<std::int32_t>{1, 0});
    CHECK_THROWS_WITH_AS(read(text, {.classes = {"a", "b", "a"}}),
                         "read_csv: classes names \"a\" twice", ArgumentError);
}

TEST_CASE("one label of another kind is refused, and numbers no class anew") {
    CHECK(csv_error("label,a\n1,0\n7a,0\n") ==
          "line 3: column \"label\" is \"7a\", expected an integer from 0 to 2147483647");
    CHECK(csv_error("label,a\nbag,0\n7,0\n") ==
          "line 3: column \"label\" is \"7\", expected the name of a class, as above it; .classes "
          "may list all, numbers too");
    CHECK(csv_error("label,a\nbag,0\nNA,0\n") ==
          "line 3: column \"label\" is \"NA\", expected a class");
    CHECK(values_of(read("label,a\nNA,0\nDE,0\n", {.classes = {"DE", "NA"}}).labels) ==
          std::vector<std::int32_t>{1, 0});
    CHECK(read("label,a\nNA,0\nDE,0\n", {.missing_marks = {}}).classes ==
          std::vector<std::string>{"DE", "NA"});
}

TEST_CASE("another separator than the file's is named") {
    const std::string hint = "; the first line has 2 ';' and no ',': try .separator = ';'";
    CHECK(csv_error("label;a;b\n1;2;3\n") == "has 0 columns \"label\", expected one" + hint);
    CHECK(csv_error("\n\nlabel;a;b\n1;2;3\n").ends_with(hint));
    CHECK(csv_error("label;a;b\n1;2,5;3,5\n") == "line 2: has 3 fields, expected 1" + hint);
    CHECK(csv_error("\"a,b\";a;b\n1;2;3\n", no_labels).ends_with(hint));
    CHECK(csv_error("1;2;3\n", {.label_column = "", .header = false}).ends_with(hint));
    CHECK(
        csv_error("label\ta\n1\t2\n").ends_with("has 1 '\\t' and no ',': try .separator = '\\t'"));
    CHECK(csv_error("1 2 3\n", {.label_column = "", .header = false})
              .ends_with("has 2 ' ' and no ',': try .separator = ' '"));
    CHECK(csv_error("label,a\n1,2\n", {.separator = ';'})
              .ends_with("has 1 ',' and no ';': try .separator = ','"));
    // All of a line would be the name of a class.
    CHECK(csv_error("cat;a;b\n", {.label_column = "0", .header = false}) ==
          "line 1: has no column of numbers" + hint);
    CHECK(csv_error("cat;1;2\n", {.label_column = "0", .header = false}).ends_with(hint));
    // What is wrong elsewhere has no such hint, nor has a file that is read.
    CHECK(csv_error("label,a;b\n1,x\n").ends_with("255"));
    CHECK(values_of(read("weight; in kg\n7\n", no_labels).x) == std::vector<std::uint8_t>{7});
    CHECK(read("label\nAnkle boot\n").classes == std::vector<std::string>{"Ankle boot"});
}

TEST_CASE("another separator is named beside the given one, which lines hold too") {
    const std::string hint = "; every line has as many ';': try .separator = ';'";
    const CsvOptions numbered{.label_column = "1", .header = false};
    // With decimal commas, a line has both.
    CHECK(csv_error<float>("1,5;2\n", numbered) ==
          "line 1: column \"1\" is \"5;2\", expected a class, in quotes if its name is that" +
              hint);
    CHECK(csv_error<float>("1,5;2\n3,5;cat\n", numbered).ends_with(hint));
    CHECK(csv_error<float>("1,5;2,5;0\n", {.label_column = "", .header = false}) ==
          "line 1: column \"1\" is \"5;2\", expected a finite number" + hint);
    CHECK(csv_error<float>("cat;1,5\n", {.label_column = "0", .header = false}).ends_with(hint));
    CHECK(csv_error("price, EUR;size;label\n3;2;0\n") == "line 2: has 1 fields, expected 2" + hint);
    CHECK(csv_error("price, EUR;size;label\n1,5;2;0\n") ==
          "has 0 columns \"label\", expected one" + hint);
    CHECK(csv_error<float>("a,b|c\n1,2|3\n", no_labels).ends_with("'|': try .separator = '|'"));
    // Names of classes may hold it.
    using Names = std::vector<std::string>;
    const CsvOptions first{.label_column = "0", .header = false};
    CHECK(read("T-shirt|top,1\nCoat|jacket,2\n", first).classes ==
          Names{"Coat|jacket", "T-shirt|top"});
    CHECK(read("1,\"5;2\"\n", numbered).classes == Names{"5;2"});
    CHECK(read("1,5;2\n3,5;2;7\n", numbered).classes == Names{"5;2", "5;2;7"});
    CHECK(read("label,a\n5|2,1\n", {.label_column = "label"}).classes == Names{"5|2"});
    CHECK(read("5;2,1\n", {.label_column = "0", .header = false, .classes = {"5;2"}}).classes ==
          Names{"5;2"});
    // An error elsewhere says nothing of it.
    CHECK(csv_error("T-shirt|top,x\n", first).ends_with("expected an integer from 0 to 255"));
    CHECK(csv_error("\"1;2\",1;2\n", {.label_column = "1", .header = false})
              .starts_with("line 1: column \"0\" is \"1;2\", expected an integer from 0 to 255"));
}

TEST_CASE("a quote within a field, before one that is refused, is a letter") {
    CHECK(csv_error<float>("2\"x,oops\n", {.label_column = "0", .header = false}) ==
          "line 1: column \"1\" is \"oops\", expected a finite number");
}

TEST_CASE("a separator at the end of a line makes no column") {
    const auto both = read("label,a,\n1,2,\n3,4,\r\n");
    CHECK(both.columns == std::vector<std::string>{"a"});
    CHECK(values_of(both.x) == std::vector<std::uint8_t>{2, 4});
    CHECK(values_of(read("label,a\n1,2,\n3,4\n").x) == std::vector<std::uint8_t>{2, 4});
    CHECK(read("label,a,\n1,2,5\n").columns == std::vector<std::string>{"a", ""});
    CHECK(csv_error("label,a\n1,2,,\n") == "line 2: has 4 fields, expected 2");
}

TEST_CASE("what is no CSV file is named") {
    const std::string expected = ", expected CSV in UTF-8";
    CHECK(csv_error(std::string("\x1f\x8b\x08\0\0", 5)) == "is compressed by gzip" + expected);
    CHECK(csv_error(std::string("\xff\xfel\0a\0", 6)) == "is text in UTF-16" + expected);
    std::string workbook = "PK\x03\x04" + std::string(26, '\0') + "[Content_Types].xml";
    workbook[26] = 19;
    CHECK(csv_error(workbook) == "is an Excel workbook (.xlsx)" + expected);
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
