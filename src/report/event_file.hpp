/// \file
/// TensorBoard's log format: protocol buffers in TFRecord frames.
#pragma once

#include "weft/core/crc32.hpp"
#include "weft/core/error.hpp"

#include <bit>

namespace weft::detail {

template <class Unsigned>
void append_little_endian(std::string& bytes, Unsigned number) {
    for (std::size_t i = 0; i < sizeof number; ++i) {
        bytes += static_cast<char>(number >> (8 * i) & 0xFF);
    }
}

/// The masked checksum, safe to store beside the data it covers.
/// Source: tensorflow/core/lib/hash/crc32c.h, Mask().
constexpr std::uint32_t masked_crc32c(std::string_view bytes) {
    return std::rotr(crc32c(bytes), 15) + 0xA282EAD8;
}

/// A record: length (8 bytes), its checksum (4), data, its checksum (4).
/// Source: tensorflow/core/lib/io/record_writer.h.
inline std::string tfrecord(std::string_view data) {
    std::string length, frame;
    append_little_endian(length, std::uint64_t{data.size()});
    frame = length;
    append_little_endian(frame, masked_crc32c(length));
    frame += data;
    append_little_endian(frame, masked_crc32c(data));
    return frame;
}

/// The fields of a message one after another, in the wire format of protocol buffers.
/// Source: protobuf.dev, "Encoding".
class ProtobufMessage {
public:
    ProtobufMessage& varint(unsigned field, std::uint64_t number) {
        append_varint(field << 3);
        append_varint(number);
        return *this;
    }
    ProtobufMessage& real(unsigned field, double number) {
        append_varint(field << 3 | 1);
        append_little_endian(bytes_, std::bit_cast<std::uint64_t>(number));
        return *this;
    }
    ProtobufMessage& real(unsigned field, float number) {
        append_varint(field << 3 | 5);
        append_little_endian(bytes_, std::bit_cast<std::uint32_t>(number));
        return *this;
    }
    ProtobufMessage& text(unsigned field, std::string_view bytes) {
        append_varint(field << 3 | 2);
        append_varint(bytes.size());
        bytes_ += bytes;
        return *this;
    }

    const std::string& bytes() const { return bytes_; }

private:
    void append_varint(std::uint64_t number) {
        for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>(number | 0x80);
        bytes_ += static_cast<char>(number);
    }

    std::string bytes_;
};

/// The first record of a log. Source: tensorflow/core/util/event.proto, Event.
inline std::string version_event(double wall_seconds) {
    return ProtobufMessage().real(1, wall_seconds).text(3, "brain.Event:2").bytes();
}

/// The record of a run that continues at a step: readers drop their data of that step and later
/// ones. Source: event.proto, Event and SessionLog, whose status START is 1.
inline std::string restart_event(double wall_seconds, std::int64_t step) {
    return ProtobufMessage()
        .real(1, wall_seconds)
        .varint(2, static_cast<std::uint64_t>(step))
        .text(7, ProtobufMessage().varint(1, 1).bytes())
        .bytes();
}

/// Named numbers at a step. Source: event.proto, Event; summary.proto, Summary and Summary.Value.
template <class NamedNumbers>
std::string scalars_event(double wall_seconds, std::int64_t step, const NamedNumbers& numbers) {
    ProtobufMessage summary;
    for (const auto& [name, value] : numbers) {
        const auto number = static_cast<float>(value);
        summary.text(1, ProtobufMessage().text(1, name).real(2, number).bytes());
    }
    return ProtobufMessage()
        .real(1, wall_seconds)
        .varint(2, static_cast<std::uint64_t>(step))
        .text(5, summary.bytes())
        .bytes();
}

}  // namespace weft::detail
