# Installs the headers and the package that find_package(weft [COMPONENTS data]) finds.
include_guard()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/weft")

install(TARGETS weft EXPORT weft_targets FILE_SET HEADERS)
install(EXPORT weft_targets NAMESPACE weft:: DESTINATION "${package_dir}")
if(TARGET weft_data)
    install(TARGETS weft_data EXPORT weft_data_targets FILE_SET HEADERS)
    install(EXPORT weft_data_targets NAMESPACE weft:: DESTINATION "${package_dir}")
endif()

get_target_property(weft_links weft INTERFACE_LINK_LIBRARIES)
set(WEFT_USES_OPENMP FALSE)
if("OpenMP::OpenMP_CXX" IN_LIST weft_links)
    set(WEFT_USES_OPENMP TRUE)
endif()
configure_package_config_file(
    cmake/weftConfig.cmake.in weftConfig.cmake INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    weftConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT
)
install(
    FILES "${PROJECT_BINARY_DIR}/weftConfig.cmake" "${PROJECT_BINARY_DIR}/weftConfigVersion.cmake"
    DESTINATION "${package_dir}"
)
