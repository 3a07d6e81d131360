# weft_once: what tests compile once of kernels and models, instead of in each of their sources.

if(WEFT_TESTS)
    set(once "${PROJECT_SOURCE_DIR}/tests/support/once")
    add_library(
        weft_once OBJECT "${once}/float.cpp" "${once}/double.cpp" "${once}/models.cpp" "${once}/reference.cpp"
    )
    target_include_directories(weft_once PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(weft_once PUBLIC weft::weft weft_development)
    target_precompile_headers(weft_once PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/models_once.hpp")
endif()

set(uses_once OFF)
if(WEFT_TESTS AND WEFT_UNITY_TESTS AND CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT MSVC
   AND NOT WEFT_EXAMPLES_KERNELS
)
    set(uses_once ON)
    # Kernels are optimised: there all time goes. What calls them is not, and compiles faster, with sanitizers
    # three times. A model's file names the build: this gives both the same name.
    target_compile_options(weft_once PUBLIC -U__OPTIMIZE__)
    # The same declarations, precompiled for what is not optimised.
    add_library(weft_once_start OBJECT "${once}/start.cpp")
    target_link_libraries(weft_once_start PRIVATE weft_once)
    target_compile_options(weft_once_start PRIVATE -O0)
    target_precompile_headers(weft_once_start PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/models_once.hpp")
endif()

# weft_use_once(<target> [OPTIMISED]): it starts from these declarations and links to weft_once; not where
# something may be measured.
function(weft_use_once target)
    if(NOT uses_once)
        return()
    endif()
    if("OPTIMISED" IN_LIST ARGN)
        target_precompile_headers(${target} REUSE_FROM weft_once)
    else()
        target_compile_options(${target} PRIVATE -O0)
        target_precompile_headers(${target} REUSE_FROM weft_once_start)
    endif()
    target_link_libraries(${target} PRIVATE weft_once)
endfunction()
