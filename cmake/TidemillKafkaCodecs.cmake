# The codecs of the Kafka protocol: build/<preset>/generated/log/wire/messages, made from Kafka's message schemas whenever
# those or the generator change. tidemill_kafka_codecs lists the files.

set(kafka_generator ${CMAKE_SOURCE_DIR}/scripts/generate_kafka_codecs.py)
set(kafka_messages ${CMAKE_BINARY_DIR}/generated/log/wire/messages)
if(NOT EXISTS ${TIDEMILL_KAFKA_SCHEMAS}/ProduceRequest.json)
  message(FATAL_ERROR "No Kafka message schemas in ${TIDEMILL_KAFKA_SCHEMAS}. Run scripts/setup.sh, or set TIDEMILL_KAFKA_SCHEMAS "
                      "to a folder with ProduceRequest.json and the others: clients/src/main/resources/common/message of "
                      "Kafka's sources, common/message of its kafka-clients jar, or kafka/protocol/schemas/resources of the "
                      "Python package kafka-python.")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)
execute_process(COMMAND ${Python3_EXECUTABLE} ${kafka_generator} --list OUTPUT_VARIABLE tidemill_kafka_codecs
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${kafka_generator})
list(TRANSFORM tidemill_kafka_codecs PREPEND ${kafka_messages}/)
file(GLOB kafka_schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/log/wire/schemas/*.json ${TIDEMILL_KAFKA_SCHEMAS}/*.json)
add_custom_command(
  OUTPUT ${tidemill_kafka_codecs}
  COMMAND ${Python3_EXECUTABLE} ${kafka_generator} --schemas ${CMAKE_SOURCE_DIR}/src/log/wire/schemas
          --schemas ${TIDEMILL_KAFKA_SCHEMAS} --out ${kafka_messages}
  DEPENDS ${kafka_generator} ${kafka_schemas}
  COMMENT "Generating the codecs of the Kafka protocol"
  VERBATIM)
