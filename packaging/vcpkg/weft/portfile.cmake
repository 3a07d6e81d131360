# An overlay port, which builds the copy of weft that it lies in:
#   vcpkg install weft --overlay-ports=weft/packaging/vcpkg
set(SOURCE_PATH "${CURRENT_PORT_DIR}/../../..")
if(NOT "kernels" IN_LIST FEATURES)
    set(VCPKG_BUILD_TYPE release) # headers, and sources that the user's project compiles
endif()

# A part is left out by not finding what it needs.
vcpkg_check_features(
    OUT_FEATURE_OPTIONS features
    FEATURES
        kernels WEFT_KERNELS
    INVERTED_FEATURES
        data CMAKE_DISABLE_FIND_PACKAGE_ZLIB
        image CMAKE_DISABLE_FIND_PACKAGE_PNG
        io CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json
)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS -DWEFT_TESTS=OFF -DWEFT_EXAMPLES=OFF -DWEFT_BENCHMARKS=OFF ${features}
    MAYBE_UNUSED_VARIABLES
        CMAKE_DISABLE_FIND_PACKAGE_ZLIB CMAKE_DISABLE_FIND_PACKAGE_PNG
        CMAKE_DISABLE_FIND_PACKAGE_nlohmann_json
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/weft)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
