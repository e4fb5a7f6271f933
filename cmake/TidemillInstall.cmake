# `cmake --install`: bin/tidemill beside lib/tidemill with the pinned shared libraries, movable as one folder.
include(GNUInstallDirs)
if(TARGET tidemill)
  set_target_properties(tidemill PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/tidemill")
  install(TARGETS tidemill RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  file(GLOB arrow_libraries ${TIDEMILL_ARROW_ROOT}/lib/libarrow.so.* ${TIDEMILL_ARROW_ROOT}/lib/libarrow_compute.so.*
       ${TIDEMILL_ARROW_ROOT}/lib/libparquet.so.*)
  file(GLOB arrow_notices ${TIDEMILL_ARROW_ROOT}/*.txt)
  install(FILES ${arrow_libraries} DESTINATION lib/tidemill)
  install(FILES ${arrow_notices} DESTINATION ${CMAKE_INSTALL_DATADIR}/tidemill/arrow)
endif()
