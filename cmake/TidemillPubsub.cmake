# The client of Google Cloud Pub/Sub's API: made from src/connect/pubsub/pubsub.proto by the system's protoc and gRPC plug-in. Its
# headers are heavy and not ours: only pubsub_client.cc includes them.

find_program(TIDEMILL_PROTOC protoc REQUIRED)
find_program(TIDEMILL_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
tidemill_find_plain(grpcpp grpc++ grpcpp/grpcpp.h)
tidemill_find_plain(grpc grpc grpc/grpc.h)
tidemill_find_plain(gpr gpr grpc/support/log.h)

set(pubsub_folder ${CMAKE_SOURCE_DIR}/src/connect/pubsub)
set(pubsub_generated ${CMAKE_BINARY_DIR}/generated/pubsub)
file(MAKE_DIRECTORY ${pubsub_generated})
add_custom_command(
  OUTPUT ${pubsub_generated}/pubsub.pb.cc ${pubsub_generated}/pubsub.pb.h ${pubsub_generated}/pubsub.grpc.pb.cc
         ${pubsub_generated}/pubsub.grpc.pb.h
  COMMAND ${TIDEMILL_PROTOC} -I${pubsub_folder} --cpp_out=${pubsub_generated} --grpc_out=${pubsub_generated}
          --plugin=protoc-gen-grpc=${TIDEMILL_GRPC_CPP_PLUGIN} pubsub.proto
  DEPENDS ${pubsub_folder}/pubsub.proto
  COMMENT "Generating the client of Pub/Sub"
  VERBATIM)
add_library(tidemill_pubsub STATIC ${pubsub_generated}/pubsub.pb.cc ${pubsub_generated}/pubsub.grpc.pb.cc)
set_target_properties(tidemill_pubsub PROPERTIES UNITY_BUILD OFF)
target_include_directories(tidemill_pubsub SYSTEM PUBLIC ${pubsub_generated})
target_link_libraries(tidemill_pubsub PUBLIC tidemill_grpcpp tidemill_grpc tidemill_gpr tidemill_protobuf Threads::Threads)
