# weft::kernels: the CPU's kernels, compiled once. On x86-64 that is for three levels of it, of which a
# program chooses one when it runs; elsewhere, and where the tools are missing, for the flags of the build.
include_guard()

# What all of it is compiled with. The speed is what the part is for, so it is optimised in every build.
add_library(weft_kernel_flags INTERFACE)
target_link_libraries(weft_kernel_flags INTERFACE weft)
if(PROJECT_IS_TOP_LEVEL)
    target_link_libraries(weft_kernel_flags INTERFACE weft_development)
endif()
target_compile_definitions(weft_kernel_flags INTERFACE WEFT_COMPILED_KERNELS)
if(NOT MSVC)
    target_compile_options(weft_kernel_flags INTERFACE -O3 -fvisibility=hidden -fvisibility-inlines-hidden)
endif()

# ---- Whether several sets can be joined ---------------------------------------------------------
#
# The linker keeps one copy of each inline function, that of any object: of a program with one for
# AVX-512 that may be one no other machine can run. So a set is one object whose symbols are its own, but
# for one. ld dissolves the groups by which linkers choose, objcopy hides the names.

set(weft_kernel_levels "")
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
check_cxx_source_compiles(
    "#if !defined(__x86_64__) || !defined(__ELF__)
     #error
     #endif
     int main() {}" WEFT_KERNELS_ON_X86_64
)
if(WEFT_KERNELS_ON_X86_64 AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize|--coverage")
    check_cxx_compiler_flag(-march=x86-64-v4 WEFT_KERNELS_LEVELS)
    # Those of GNU binutils, also where the compiler comes with others.
    find_program(WEFT_KERNELS_LD NAMES ld.bfd ld)
    find_program(WEFT_KERNELS_OBJCOPY NAMES objcopy)
    mark_as_advanced(WEFT_KERNELS_LD WEFT_KERNELS_OBJCOPY)
    set(joins -1)
    if(WEFT_KERNELS_LD AND WEFT_KERNELS_OBJCOPY)
        execute_process(COMMAND "${WEFT_KERNELS_LD}" --help OUTPUT_VARIABLE help ERROR_QUIET)
        string(FIND "${help}" "--force-group-allocation" joins)
    endif()
    if(WEFT_KERNELS_LEVELS AND joins GREATER_EQUAL 0)
        set(weft_kernel_levels v1 v3 v4)
    else()
        message(STATUS "weft::kernels: one instruction set, as the compiler does not know -march=x86-64-v4, "
                       "or there is no ld of GNU binutils with --force-group-allocation"
        )
    endif()
endif()
set(weft_kernel_march_v1 x86-64)
set(weft_kernel_march_v3 x86-64-v3)
set(weft_kernel_march_v4 x86-64-v4)

# ---- The library ----------------------------------------------------------------------------------

set(weft_kernel_once src/kernels/choice.cpp)
if(NOT WIN32)
    list(APPEND weft_kernel_once src/kernels/posix/is_forked.cpp)
endif()
if(weft_kernel_levels)
    add_library(weft_kernels STATIC ${weft_kernel_once} src/kernels/x86_64/sets.cpp)
    # Behind the flags of the build, which may name a newer processor.
    target_compile_options(weft_kernels PRIVATE -march=${weft_kernel_march_v1} -mtune=generic -fno-lto)
    foreach(level IN LISTS weft_kernel_levels)
        set(name weft_kernels_${level})
        add_library(${name} OBJECT src/kernels/set.cpp)
        target_link_libraries(${name} PRIVATE weft_kernel_flags)
        set_target_properties(
            ${name} PROPERTIES POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF
        )
        # Symbols that are unique in a process cannot be hidden.
        target_compile_options(
            ${name} PRIVATE -march=${weft_kernel_march_${level}} -mtune=generic -fno-lto
                            $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
        )
        set(joined "${CMAKE_CURRENT_BINARY_DIR}/kernels/${level}.joined.o")
        set(object "${CMAKE_CURRENT_BINARY_DIR}/kernels/${level}.o")
        set(symbol weft_kernel_set_${level})
        add_custom_command(
            OUTPUT "${object}"
            COMMAND "${CMAKE_COMMAND}" -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/kernels"
            COMMAND "${WEFT_KERNELS_LD}" -r --force-group-allocation -o "${joined}" $<TARGET_OBJECTS:${name}>
            COMMAND "${WEFT_KERNELS_OBJCOPY}" --redefine-sym weft_kernel_set=${symbol} "${joined}"
            COMMAND "${WEFT_KERNELS_OBJCOPY}" --keep-global-symbol=${symbol} "${joined}" "${object}"
            DEPENDS ${name} $<TARGET_OBJECTS:${name}>
            COMMENT "Joining the kernels for ${weft_kernel_march_${level}}"
            COMMAND_EXPAND_LISTS VERBATIM
        )
        set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
        target_sources(weft_kernels PRIVATE "${object}")
    endforeach()
else()
    add_library(weft_kernels STATIC ${weft_kernel_once} src/kernels/one/sets.cpp src/kernels/set.cpp)
endif()

add_library(weft::kernels ALIAS weft_kernels)
set_target_properties(weft_kernels PROPERTIES EXPORT_NAME kernels POSITION_INDEPENDENT_CODE ON)
target_sources(
    weft_kernels INTERFACE FILE_SET HEADERS BASE_DIRS include FILES ${weft_kernels_headers}
)
target_compile_definitions(weft_kernels INTERFACE WEFT_COMPILED_KERNELS)
target_link_libraries(weft_kernels PUBLIC weft PRIVATE $<BUILD_INTERFACE:weft_kernel_flags>)
