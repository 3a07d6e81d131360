#include "src/report/markup.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;
using namespace weft::detail;

TEST_CASE("Text is escaped, and what XML does not allow is replaced") {
    CHECK(escaped("<script>\"&'</script>") == "&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;");
    CHECK(escaped("T-shirt/top") == "T-shirt/top");
    CHECK(escaped("") == "");
    CHECK(escaped("a\tb\nc") == "a\tb\nc");
    const std::string replacement = "&#65533;";
    CHECK(escaped(std::string("a\0b", 3)) == "a" + replacement + "b");
    CHECK(escaped("\x1B[1m") == replacement + "[1m");
    // UTF-8 of 2, 3 and 4 bytes stays.
    for (const char* text : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x91\x95"}) {
        CHECK(escaped(text) == text);
    }
    CHECK(escaped("\xC3") == replacement);                    // cut
    CHECK(escaped("\xA9g") == replacement + "g");             // without a lead
    CHECK(escaped("\xC0\xAF") == replacement + replacement);  // overlong
    CHECK(escaped("\xE0\x80\xAF") == replacement + replacement + replacement);
    CHECK(escaped("\xED\xA0\x80") == replacement + replacement + replacement);  // a surrogate
    CHECK(escaped("\xF4\x90\x80\x80") ==
          replacement + replacement + replacement + replacement);               // beyond U+10FFFF
    CHECK(escaped("\xEF\xBF\xBF") == replacement + replacement + replacement);  // U+FFFF
    CHECK(escaped("\xE2<") == replacement + "&lt;");
}

TEST_CASE("Text is cut between characters") {
    CHECK(shortened("Ankle boot", 10) == "Ankle boot");
    CHECK(shortened("Ankle boots", 10) == "Ankle boo\xE2\x80\xA6");
    CHECK(shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 2) == "\xC3\xA9\xE2\x80\xA6");
    CHECK(shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9\xC3\xA9\xC3\xA9");
    CHECK(shortened("", 1) == "");
}

TEST_CASE("Numbers are written with so many digits, and also when they are none") {
    CHECK(fixed(0.87415, 4) == "0.8741");
    CHECK(fixed(0.5, 4) == "0.5000");
    CHECK(fixed(-1234.5678, 1) == "-1234.6");
    CHECK(fixed(1e300, 0).size() == 301);
    CHECK(fixed(std::numeric_limits<double>::quiet_NaN(), 4) == "NaN");
    CHECK(fixed(-std::numeric_limits<double>::infinity(), 4) == "-infinity");
    CHECK(per_cent(0.984) == "98\xC2\xA0%");
}

TEST_CASE("Base64 of the texts of RFC 4648, section 10") {
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foob") == "Zm9vYg==");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xFB\xFF\xFE") == "+//+");
}
