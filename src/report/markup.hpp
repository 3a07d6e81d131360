/// \file
/// Text, numbers and pictures in the forms of HTML and SVG.
#pragma once

#include "png.hpp"

#include <cmath>

namespace weft::detail {

/// The length of the UTF-8 sequence at the start of the text; 0 if it is not valid, or XML does not
/// allow the character. Source: RFC 3629, section 4; XML 1.0, production 2.
inline std::size_t xml_character_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    std::uint32_t code = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
        code = code << 6 | (byte(i) & 0x3Fu);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const bool allowed =
        code >= least[length] && code <= 0x10FFFF && !surrogate && code != 0xFFFE && code != 0xFFFF;
    return allowed ? length : 0;
}

/// Any bytes as text of an element or of a quoted attribute. Bytes that are not UTF-8 become
/// U+FFFD.
inline std::string escaped(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = xml_character_length(text);
        switch (text.front()) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                if (length == 0) {
                    result += "&#65533;";
                } else {
                    result += text.substr(0, length);
                }
        }
        text.remove_prefix((std::max<std::size_t>)(length, 1));
    }
    return result;
}

/// The text cut to a number of characters, the last of them an ellipsis; not escaped.
inline std::string shortened(std::string_view text, std::size_t characters) {
    std::size_t cut = 0, at = 0;
    for (std::size_t count = 0; at < text.size(); ++count) {
        if (count + 1 == characters) cut = at;
        if (count == characters) return concat(text.substr(0, cut), "\xE2\x80\xA6");
        at += (std::max<std::size_t>)(xml_character_length(text.substr(at)), 1);
    }
    return std::string(text);
}

/// The number with `digits` digits behind the point, or "NaN", "infinity", "-infinity".
inline std::string fixed(double number, int digits) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "infinity" : "-infinity";
    return decimals(number, digits);
}

/// 0.98 as "98 %", with a no-break space.
inline std::string per_cent(double share) { return fixed(100 * share, 0) + "\xC2\xA0%"; }

/// RFC 4648, section 4.
inline std::string base64(std::string_view bytes) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = (std::min<std::size_t>)(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            text += k <= count ? alphabet[group >> (18 - 6 * k) & 63] : '=';
        }
    }
    return text;
}

/// Pixels (H, W, 1 or 3) as a data: address that contains the picture.
inline std::string data_uri(TensorView<const std::uint8_t> pixels) {
    return "data:image/png;base64," + base64(encode_png(pixels));
}

}  // namespace weft::detail
