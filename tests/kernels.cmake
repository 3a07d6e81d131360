# The tests of weft::kernels, where it is built: a program of their own.

if(NOT TARGET weft::kernels OR NOT kernels_tests)
    return()
endif()

# Not weft_development's flags alone: the program itself has to run on the oldest processor.
add_executable(weft_kernels_tests main.cpp ${kernels_tests})
target_include_directories(weft_kernels_tests PRIVATE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(
    weft_kernels_tests PRIVATE DOCTEST_CONFIG_VOID_CAST_EXPRESSIONS WEFT_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
)
target_link_libraries(weft_kernels_tests PRIVATE weft::kernels weft_development doctest::doctest)
if(weft_kernel_levels)
    target_compile_options(weft_kernels_tests PRIVATE -march=x86-64 -mtune=generic)
endif()
foreach(test IN LISTS kernels_tests)
    string(REGEX REPLACE "_test\\.cpp$" "" name "${test}")
    add_test(NAME ${name} COMMAND weft_kernels_tests "--source-file=*tests/${test}")
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 FAIL_REGULAR_EXPRESSION "test cases: +0 ")
endforeach()

if(NOT weft_kernel_levels)
    return()
endif()

# ---- Of each set one name is seen, and its instructions are its own --------------------------------

add_test(NAME kernels/compiled/symbols
         COMMAND "${CMAKE_COMMAND}" -D "NM=${CMAKE_NM}" -D "OBJDUMP=${CMAKE_OBJDUMP}" -D
                 "OBJECTS=${PROJECT_BINARY_DIR}/kernels" -P
                 "${CMAKE_CURRENT_SOURCE_DIR}/kernels/compiled/symbols.cmake"
)
set_tests_properties(kernels/compiled/symbols PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: ")

# ---- Old processors, emulated ----------------------------------------------------------------------

add_executable(needs_avx kernels/compiled/needs_avx.cpp)
find_program(WEFT_QEMU qemu-x86_64)
mark_as_advanced(WEFT_QEMU)
foreach(processor IN ITEMS Nehalem:sse2 Haswell:avx2)
    string(REPLACE ":" ";" processor ${processor})
    list(POP_FRONT processor model set)
    add_test(
        NAME kernels/compiled/${model}
        COMMAND
            "${CMAKE_COMMAND}" -D "QEMU=${WEFT_QEMU}" -D MODEL=${model} -D SET=${set} -D
            PROGRAM=$<TARGET_FILE:weft_kernels_tests> -D NEEDS_AVX=$<TARGET_FILE:needs_avx> -P
            "${CMAKE_CURRENT_SOURCE_DIR}/kernels/compiled/emulated.cmake"
    )
    set_tests_properties(kernels/compiled/${model} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped: ")
endforeach()

# ---- The bits of programs that are compiled for the set ----------------------------------------------

add_executable(kernels_checksums checksums/main.cpp)
target_include_directories(kernels_checksums PRIVATE "${PROJECT_SOURCE_DIR}")
target_link_libraries(kernels_checksums PRIVATE weft::kernels weft_development)
target_compile_options(kernels_checksums PRIVATE -march=x86-64 -mtune=generic)
foreach(level IN ITEMS v3:avx2 v4:avx512)
    string(REPLACE ":" ";" level ${level})
    list(POP_FRONT level architecture set)
    add_test(
        NAME checksums/compiled-${architecture}
        COMMAND
            "${CMAKE_COMMAND}" -D PROGRAM=$<TARGET_FILE:kernels_checksums> -D ARCHITECTURE=x86-64-${architecture}
            -D "WORK=${CMAKE_CURRENT_BINARY_DIR}/checksums/compiled" -P
            "${CMAKE_CURRENT_SOURCE_DIR}/checksums/run.cmake"
    )
    set_tests_properties(
        checksums/compiled-${architecture} PROPERTIES ENVIRONMENT WEFT_INSTRUCTION_SET=${set}
                                                      SKIP_REGULAR_EXPRESSION "skipped: "
    )
endforeach()
