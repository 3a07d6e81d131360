# Installs the headers and the package that find_package(weft [COMPONENTS report data image io kernels cuda]) finds.
include_guard()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/weft")

set(source_dir "${CMAKE_INSTALL_DATADIR}/weft/src")

# Microsoft's linker puts it into what its debugger reads.
set(natvis "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/packaging/debuggers/weft.natvis>"
           "$<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${CMAKE_INSTALL_DATADIR}/weft/weft.natvis>"
)
target_sources(weft INTERFACE "$<$<CXX_COMPILER_ID:MSVC>:${natvis}>")

install(TARGETS weft EXPORT weft_targets FILE_SET HEADERS)
install(EXPORT weft_targets NAMESPACE weft:: DESTINATION "${package_dir}")
foreach(part IN LISTS weft_parts)
    foreach(source IN LISTS weft_${part}_sources)
        target_sources(
            weft_${part} INTERFACE $<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${source_dir}/${source}>
        )
    endforeach()
    if(weft_${part}_sources)
        install(DIRECTORY src/${part} DESTINATION "${source_dir}")
    endif()
    install(TARGETS weft_${part} EXPORT weft_${part}_targets FILE_SET HEADERS)
    install(EXPORT weft_${part}_targets NAMESPACE weft:: DESTINATION "${package_dir}")
endforeach()

set(version_options ARCH_INDEPENDENT)
foreach(part IN ITEMS kernels cuda)
    if(TARGET weft_${part})
        install(TARGETS weft_${part} EXPORT weft_${part}_targets FILE_SET HEADERS)
        install(EXPORT weft_${part}_targets NAMESPACE weft:: DESTINATION "${package_dir}")
        set(version_options "") # a library has an architecture
    endif()
endforeach()

get_target_property(weft_links weft INTERFACE_LINK_LIBRARIES)
set(WEFT_USES_OPENMP FALSE)
if("OpenMP::OpenMP_CXX" IN_LIST weft_links)
    set(WEFT_USES_OPENMP TRUE)
endif()
set(WEFT_CUDA_NEEDS "")
if(TARGET weft_cuda AND WEFT_CUDA_CUDNN)
    set(WEFT_CUDA_NEEDS cuDNN)
endif()
configure_package_config_file(
    cmake/weftConfig.cmake.in weftConfig.cmake INSTALL_DESTINATION "${package_dir}"
)
write_basic_package_version_file(
    weftConfigVersion.cmake COMPATIBILITY SameMinorVersion ${version_options}
)
install(
    FILES "${PROJECT_BINARY_DIR}/weftConfig.cmake" "${PROJECT_BINARY_DIR}/weftConfigVersion.cmake"
          cmake/FindcuDNN.cmake cmake/FindTurboJPEG.cmake cmake/weftFindEigen.cmake
    DESTINATION "${package_dir}"
)

# For pkg-config, which knows neither C++20 nor an optimiser; and for debuggers. What is compiled has its file
# beside the library.
set(pkgconfig_dir "${CMAKE_INSTALL_DATADIR}/pkgconfig")
set(pkgconfig_libdir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
if(IS_ABSOLUTE "${CMAKE_INSTALL_DATADIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}"
   OR IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}"
)
    set(weft_pc_prefix "${CMAKE_INSTALL_PREFIX}")
    set(weft_pc_libprefix "${CMAKE_INSTALL_PREFIX}")
    set(weft_pc_include "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
    set(weft_pc_source "${CMAKE_INSTALL_FULL_DATADIR}/weft/src")
    set(weft_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
else() # may be moved as a whole
    file(RELATIVE_PATH up "/${pkgconfig_dir}" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(weft_pc_prefix "\${pcfiledir}/${up}")
    file(RELATIVE_PATH up "/${pkgconfig_libdir}" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(weft_pc_libprefix "\${pcfiledir}/${up}")
    set(weft_pc_include "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
    set(weft_pc_source "\${prefix}/${source_dir}")
    set(weft_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
set(weft_pc_threads -pthread)
if(WEFT_USES_OPENMP)
    string(APPEND weft_pc_threads " ${OpenMP_CXX_FLAGS}")
endif()
configure_file(cmake/weft.pc.in weft.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/weft.pc" DESTINATION "${pkgconfig_dir}")
if(TARGET weft_kernels)
    configure_file(cmake/weft-kernels.pc.in weft-kernels.pc @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/weft-kernels.pc" DESTINATION "${pkgconfig_libdir}")
endif()
install(FILES packaging/debuggers/weft_gdb.py packaging/debuggers/weft.natvis
        DESTINATION "${CMAKE_INSTALL_DATADIR}/weft"
)
