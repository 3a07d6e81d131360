# weft_once: what tests compile once of kernels and models, instead of in each of their sources.

if(WEFT_TESTS)
    set(once "${PROJECT_SOURCE_DIR}/tests/support/once")
    add_library(weft_once OBJECT "${once}/float.cpp" "${once}/double.cpp" "${once}/models.cpp")
    target_include_directories(weft_once PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(weft_once PUBLIC weft::weft weft_development)
    target_precompile_headers(weft_once PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/models_once.hpp")
endif()

# weft_use_once(<target>): it starts from the declarations of models and of the CPU's kernels, precompiled,
# and links to weft_once; not where something may be measured.
set(uses_once OFF)
if(WEFT_TESTS AND WEFT_UNITY_TESTS AND CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT MSVC
   AND NOT WEFT_EXAMPLES_KERNELS
)
    set(uses_once ON)
endif()
function(weft_use_once target)
    if(uses_once)
        target_precompile_headers(${target} REUSE_FROM weft_once)
        target_link_libraries(${target} PRIVATE weft_once)
    endif()
endfunction()
