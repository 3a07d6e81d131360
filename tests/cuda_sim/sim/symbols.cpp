// Names of kernels, from the symbols of the program (ELF), which dladdr does not know: those of static
// functions too.
#include "kernel.hpp"

#include "sanitizers.hpp"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace cuda_sim {
namespace {

using Address = ElfW(Addr);

/// The program's file, mapped.
struct Image {
    const char* begin = nullptr;
    std::size_t size = 0;

    Image() {
        const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        struct stat status{};
        if (file < 0 || fstat(file, &status) != 0) return;
        size = static_cast<std::size_t>(status.st_size);
        void* const memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        if (memory != MAP_FAILED) begin = static_cast<const char*>(memory);
    }
    ~Image() {
        if (begin != nullptr) munmap(const_cast<char*>(begin), size);
    }
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;
};

/// The symbol of the function at the address, or nothing.
std::string symbol_of(Address wanted) {
    const Image image;
    if (image.begin == nullptr) return "";
    const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(image.begin);
    const auto* const sections = reinterpret_cast<const ElfW(Shdr)*>(image.begin + header.e_shoff);
    for (int i = 0; i < header.e_shnum; ++i) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const char* const names = image.begin + sections[sections[i].sh_link].sh_offset;
        const auto* symbol =
            reinterpret_cast<const ElfW(Sym)*>(image.begin + sections[i].sh_offset);
        for (std::size_t left = sections[i].sh_size / sizeof *symbol; left > 0; --left, ++symbol) {
            constexpr unsigned type_bits = 0xF;
            if ((symbol->st_info & type_bits) == STT_FUNC && symbol->st_value == wanted) {
                return names + symbol->st_name;
            }
        }
    }
    return "";
}

/// `void weft::cuda::scale<float>(float*, int)` -> `scale<float>`.
std::string bare(const std::string& name) {
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (c == '<') ++depth;
        if (c == '>') --depth;
        if (depth > 0) continue;
        if (c == '(' && name.compare(i, 11, "(anonymous ") == 0) {
            i = name.find(')', i);
        } else if (c == '(') {
            return name.substr(begin, i - begin);
        } else if (c == ' ' || c == ':') {
            begin = i + 1;
        }
    }
    return name.substr(begin);
}

std::string name_of(const void* function) {
    const std::string symbol = symbol_of(reinterpret_cast<Address>(function) - load_address());
    if (symbol.empty()) {
        char text[32];
        std::snprintf(text, sizeof text, "%p", function);
        return text;
    }
    int status = 0;
    char* const readable = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
    std::string name = status == 0 ? bare(readable) : symbol;
    std::free(readable);
    return name;
}

}  // namespace

std::uintptr_t load_address() {
    std::uintptr_t address = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* first, std::size_t, void* result) {
            *static_cast<std::uintptr_t*>(result) = first->dlpi_addr;
            return 1;
        },
        &address);
    return address;
}

const char* kernel_name(const void* function) {
    static auto& names = *new std::map<const void*, std::string>;
    const auto [entry, is_new] = names.try_emplace(function);
    if (is_new) entry->second = name_of(function);
    return entry->second.c_str();
}

}  // namespace cuda_sim
