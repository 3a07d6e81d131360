/// \file
/// Recordings: chains of kernels that a device recorded and repeats.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>

namespace weft::detail {

/// Whether a device can record kernels and repeat them at less cost.
template <class Device>
concept Records =
    requires(Device device, const typename Device::Recording& recording, void (*body)()) {
        { device.records() } -> std::same_as<bool>;
        { device.record(body) } -> std::same_as<typename Device::Recording>;
        device.repeat(recording);
    };

/// The recordings of passes, by key. A pass runs as it is the first time, which allocates its
/// memory; the second time it is recorded, from then on repeated. Its body is not called again, so
/// it may only start kernels, with the same arguments each time.
template <class Key, class Device>
class Recordings {
public:
    static bool are_made(const Device& device) {
        if constexpr (Records<Device>) return device.records();
        return false;
    }

    template <class Body>
    void run(Device& device, const Key& key, const Body& body) {
        if constexpr (Records<Device>) {
            if (Entry* const entry = are_made(device) ? find(key) : nullptr) {
                if (!entry->was_run) {
                    entry->was_run = true;
                    return body();
                }
                if (!entry->recording) entry->recording = device.record(body);
                return device.repeat(entry->recording);
            }
        }
        body();
    }

private:
    template <class D>
    struct EntryOf {};
    template <Records D>
    struct EntryOf<D> {
        Key key;
        bool was_run = false;
        typename D::Recording recording = {};
    };
    using Entry = EntryOf<Device>;

    /// The recording of the key; null if there are too many others.
    Entry* find(const Key& key) {
        for (std::size_t i = 0; i < count_; ++i) {
            if (entries_[i].key == key) return &entries_[i];
        }
        if (count_ == entries_.size()) return nullptr;
        entries_[count_].key = key;
        return &entries_[count_++];
    }

    std::array<Entry, 8> entries_ = {};
    std::size_t count_ = 0;
};

}  // namespace weft::detail
