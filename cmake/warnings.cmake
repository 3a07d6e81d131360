# weft_development: the warnings of weft's own tests, examples and benchmarks. Never linked by the
# public targets. CMAKE_COMPILE_WARNING_AS_ERROR, which the dev presets set, makes them errors.
include_guard()

if(MSVC)
    set(weft_warnings /W4 /permissive- /utf-8)
else()
    set(weft_warnings
        -Wall
        -Wextra
        -Wpedantic
        -Wcast-align
        -Wcast-qual
        -Wconversion
        -Wdouble-promotion
        -Wextra-semi
        -Wformat=2
        -Wnon-virtual-dtor
        -Wold-style-cast
        -Woverloaded-virtual
        -Wshadow
        -Wsign-conversion
        -Wundef
        -Wunused
    )
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND weft_warnings -Wduplicated-branches -Wduplicated-cond -Wlogical-op)
        if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
            # Its AVX-512 intrinsics read an undefined register on purpose (GCC bug 105593).
            list(APPEND weft_warnings -Wno-maybe-uninitialized -Wno-uninitialized)
        endif()
    endif()
endif()

add_library(weft_development INTERFACE)
target_compile_options(weft_development INTERFACE ${weft_warnings})
