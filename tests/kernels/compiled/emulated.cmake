# Runs a program with compiled kernels on an emulated processor, which ends it at the first instruction that
# the processor lacks, and checks which instruction set it takes. Prints "skipped" without the emulator.
#   cmake -D QEMU=<qemu-x86_64> -D MODEL=<processor> -D SET=<instruction set> -D PROGRAM=<tests>
#         -D NEEDS_AVX=<program> -P emulated.cmake
cmake_minimum_required(VERSION 3.24)

if(NOT QEMU)
    message(STATUS "skipped: there is no qemu-x86_64")
    return()
endif()

# That the emulator looks at the model.
execute_process(COMMAND "${QEMU}" -cpu ${MODEL} "${NEEDS_AVX}" RESULT_VARIABLE code ERROR_QUIET)
set(has_avx FALSE)
if(code EQUAL 0)
    set(has_avx TRUE)
endif()
set(needs_avx FALSE)
if(NOT SET STREQUAL "sse2")
    set(needs_avx TRUE)
endif()
if(NOT has_avx STREQUAL needs_avx)
    message(FATAL_ERROR "AVX on an emulated ${MODEL}: ${code}")
endif()

unset(ENV{WEFT_INSTRUCTION_SET})
set(ENV{OMP_NUM_THREADS} 2)
execute_process(
    COMMAND "${QEMU}" -cpu ${MODEL} "${PROGRAM}" --no-colors OUTPUT_VARIABLE output ERROR_VARIABLE error
    RESULT_VARIABLE code
)
if(NOT code EQUAL 0 OR NOT output MATCHES "instruction set: ${SET}\n" OR NOT output MATCHES "SUCCESS")
    message(FATAL_ERROR "${MODEL} should use ${SET}: ${code}\n${output}\n${error}")
endif()
