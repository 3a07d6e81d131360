# Packages, the single header and debuggers: each as its user meets it. What needs a tool that is not
# there says "skipped: ".

find_package(Python3 QUIET COMPONENTS Interpreter)
foreach(way IN ITEMS pkg_config fetch_content cpm single_header compiler_explorer debuggers conan)
    add_test(
        NAME packaging/${way}
        COMMAND ${compile} -D WAY=${way} -D "PYTHON=${Python3_EXECUTABLE}" -D
                "WORK=${CMAKE_CURRENT_BINARY_DIR}/packaging/${way}" -P
                "${CMAKE_CURRENT_SOURCE_DIR}/packaging/run.cmake"
    )
    set_tests_properties(
        packaging/${way} PROPERTIES LABELS compile SKIP_REGULAR_EXPRESSION "skipped: "
    )
endforeach()

# Debian's package, where its tools are.
add_test(NAME packaging/debian COMMAND bash "${PROJECT_SOURCE_DIR}/scripts/debian_package.sh"
                                       "${CMAKE_CURRENT_BINARY_DIR}/packaging/debian"
)
set_tests_properties(packaging/debian PROPERTIES LABELS compile SKIP_RETURN_CODE 77)
