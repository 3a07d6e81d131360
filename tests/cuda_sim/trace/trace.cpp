// Counting requests of warps to memory.
#include "trace.hpp"

#include "../sim/engine.hpp"
#include "../sim/memory.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <tuple>
#include <vector>

namespace cuda_sim {
namespace {

using Address = std::uintptr_t;

struct Access {
    Address instruction;
    unsigned turn;  ///< how often the lane has come by before
    unsigned lane;
    Address at;
    unsigned size;
};

/// Of the block that runs, by warp.
std::vector<Access> accesses[most_threads / warp_lanes];

/// How often each thread has come by each instruction, by its number.
std::vector<unsigned> turns[most_threads];

/// A number for each instruction, from 0 on.
unsigned number_of(Address instruction) {
    struct Entry {
        Address instruction;
        unsigned number;
    };
    constexpr std::size_t size = 1 << 16;  // many times what there is
    static std::vector<Entry> table(size);
    static unsigned count = 0;
    for (std::size_t place = instruction;; ++place) {
        Entry& entry = table[place % size];
        if (entry.instruction == 0) entry = {instruction, count++};
        if (entry.instruction == instruction) return entry.number;
    }
}

using Lanes = const Access*;

constexpr Address sector = 32, banks = 32, word = 4;

/// The distinct units of so many bytes that lanes touch, in order. Valid until the next call.
const std::vector<Address>& units_of(Lanes begin, Lanes end, Address unit) {
    static std::vector<Address> units;
    units.clear();
    for (Lanes a = begin; a != end; ++a) {
        for (Address u = a->at / unit; u <= (a->at + a->size - 1) / unit; ++u) units.push_back(u);
    }
    if (!std::is_sorted(units.begin(), units.end())) std::sort(units.begin(), units.end());
    units.erase(std::unique(units.begin(), units.end()), units.end());
    return units;
}

/// The least units that could hold the distinct bytes that lanes touch.
long least_units(Lanes begin, Lanes end, Address unit) {
    const std::size_t bytes = begin->size % word == 0 ? units_of(begin, end, word).size() * word
                                                      : units_of(begin, end, 1).size();
    return static_cast<long>((bytes + unit - 1) / unit);
}

/// The most words that one bank has to serve.
long passes_of(Lanes begin, Lanes end) {
    long words[banks] = {};
    for (const Address w : units_of(begin, end, word)) ++words[w % banks];
    return *std::max_element(words, words + banks);
}

/// Lanes with 8 bytes each are served by halves of a warp, those with 16 by quarters.
void count_shared(Traffic& traffic, Lanes begin, Lanes end) {
    const unsigned parts = std::max(begin->size / static_cast<unsigned>(word), 1U);
    const unsigned lanes_of_part = warp_lanes / parts;
    ++traffic.shared_requests;
    while (begin != end) {
        const unsigned part = begin->lane / lanes_of_part;
        const Lanes next = std::find_if(
            begin, end, [&](const Access& a) { return a.lane / lanes_of_part != part; });
        traffic.shared_passes += passes_of(begin, next);
        traffic.ideal_passes += least_units(begin, next, banks * word);
        begin = next;
    }
}

void count_block() {
    static const Address loaded_at = load_address();
    Engine& engine = Engine::get();
    Places& places = trace()[kernel_name(engine.kernel()->function)];
    for (auto& of_warp : accesses) {
        const auto key = [](const Access& a) { return std::tie(a.instruction, a.turn, a.lane); };
        std::sort(of_warp.begin(), of_warp.end(),
                  [&](const Access& a, const Access& b) { return key(a) < key(b); });
        for (Lanes begin = of_warp.data(), end = begin + of_warp.size(); begin != end;) {
            const Lanes next = std::find_if(begin, end, [&](const Access& a) {
                return a.instruction != begin->instruction || a.turn != begin->turn;
            });
            Traffic& traffic = places[begin->instruction - loaded_at];
            if (engine.is_shared(reinterpret_cast<const void*>(begin->at))) {
                count_shared(traffic, begin, next);
            } else {
                ++traffic.requests;
                traffic.sectors += static_cast<long>(units_of(begin, next, sector).size());
                traffic.ideal_sectors += least_units(begin, next, sector);
            }
            begin = next;
        }
        of_warp.clear();
    }
    for (auto& of_thread : turns) of_thread.clear();
}

/// A load or store by the thread that runs, from the instruction before the address.
void note(const void* instruction, const void* at, unsigned size) {
    Engine& engine = Engine::get();
    if (!engine.runs_thread()) return;
    if (!engine.is_shared(at) && !Memory::get().is_device_address(at)) return;
    Engine::block_ended = &count_block;
    const unsigned thread = engine.thread_number();
    const auto from = reinterpret_cast<Address>(instruction) - 1;
    const unsigned number = number_of(from);
    auto& of_thread = turns[thread];
    if (of_thread.size() <= number) of_thread.resize(number + 1);
    accesses[thread / warp_lanes].push_back(
        {from, of_thread[number]++, thread % warp_lanes, reinterpret_cast<Address>(at), size});
}

}  // namespace

Traffic& Traffic::operator+=(const Traffic& other) {
    requests += other.requests;
    sectors += other.sectors;
    ideal_sectors += other.ideal_sectors;
    shared_requests += other.shared_requests;
    shared_passes += other.shared_passes;
    ideal_passes += other.ideal_passes;
    return *this;
}

double Traffic::coalescing() const {
    return sectors == 0 ? 1 : static_cast<double>(ideal_sectors) / static_cast<double>(sectors);
}

double Traffic::conflicts() const {
    return ideal_passes == 0
               ? 1
               : static_cast<double>(shared_passes) / static_cast<double>(ideal_passes);
}

std::map<std::string, Places>& trace() {
    static auto& all = *new std::map<std::string, Places>;
    return all;
}

Traffic traffic(const std::string& kernel) {
    Traffic sum;
    for (const auto& [instruction, of_it] : trace()[kernel]) sum += of_it;
    return sum;
}

std::string trace_report() {
    std::string report;
    const auto add = [&](const std::string& name, const Traffic& t) {
        char numbers[128];
        std::snprintf(numbers, sizeof numbers,
                      "%8ld sectors, %3.0f %% asked for; %8ld shared passes, %.2f of the least  ",
                      t.sectors, 100 * t.coalescing(), t.shared_passes, t.conflicts());
        report += numbers + name + "\n";
    };
    for (const auto& [kernel, places] : trace()) {
        add(kernel, traffic(kernel));
        for (const auto& [instruction, of_it] : places) {
            char name[32];
            std::snprintf(name, sizeof name, "  %#lx", instruction);
            if (of_it.coalescing() < 1 || of_it.conflicts() > 1) add(name, of_it);
        }
    }
    return report;
}

}  // namespace cuda_sim

// What clang calls.
#define CUDA_SIM_HOOKS(size, type)                             \
    extern "C" void __sanitizer_cov_load##size(type* at) {     \
        cuda_sim::note(__builtin_return_address(0), at, size); \
    }                                                          \
    extern "C" void __sanitizer_cov_store##size(type* at) {    \
        cuda_sim::note(__builtin_return_address(0), at, size); \
    }
CUDA_SIM_HOOKS(1, std::uint8_t)
CUDA_SIM_HOOKS(2, std::uint16_t)
CUDA_SIM_HOOKS(4, std::uint32_t)
CUDA_SIM_HOOKS(8, std::uint64_t)
CUDA_SIM_HOOKS(16, __uint128_t)
#undef CUDA_SIM_HOOKS
