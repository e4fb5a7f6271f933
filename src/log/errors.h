#pragma once

#include "base/errors.h"

namespace tidemill {

// TM12xx: log.
inline constexpr ErrorCode kUnknownTopic{1200, ErrorDomain::kUser, "topic does not exist",
                                         "create it with: tidemill topic create NAME"};
inline constexpr ErrorCode kTopicExists{1201, ErrorDomain::kUser, "topic exists already"};
inline constexpr ErrorCode kUnknownPartition{1202, ErrorDomain::kUser, "partition does not exist"};
inline constexpr ErrorCode kOffsetOutOfRange{
    1203, ErrorDomain::kData, "offset out of range",
    "retention removed the records, or the offset is beyond the end; read from 'earliest' or 'latest'"};
inline constexpr ErrorCode kRecordTooLarge{1204, ErrorDomain::kData, "record too large",
                                           "raise the topic's max.message.bytes"};
inline constexpr ErrorCode kCorruptBatch{
    1205, ErrorDomain::kExternal, "corrupted record batch",
    "the disk changed bytes that were written; restore the file from a copy, or trim the topic past this place"};
inline constexpr ErrorCode kUnsupportedCodec{1206, ErrorDomain::kData, "compression codec is not supported"};
inline constexpr ErrorCode kInvalidBatch{1207, ErrorDomain::kData, "invalid record batch"};
inline constexpr ErrorCode kInvalidTopicConfig{1208, ErrorDomain::kUser, "invalid topic configuration"};
inline constexpr ErrorCode kUnknownTransaction{
    1209, ErrorDomain::kExternal, "transaction is not known to the log",
    "its data directory is not the one that prepared it, or is an older copy"};
inline constexpr ErrorCode kTransactionAborted{1210, ErrorDomain::kExternal, "transaction was aborted"};
inline constexpr ErrorCode kLogClosed{1211, ErrorDomain::kInternal, "log is closed"};
inline constexpr ErrorCode kUnknownGroup{1212, ErrorDomain::kUser, "consumer group does not exist"};
inline constexpr ErrorCode kTransactionCommitted{1213, ErrorDomain::kInternal, "transaction was committed"};
inline constexpr ErrorCode kOutOfOrderSequence{1214, ErrorDomain::kData, "sequence number out of order",
                                               "records before these were lost on their way; begin a new producer"};
inline constexpr ErrorCode kProducerFenced{1215, ErrorDomain::kExternal, "producer was replaced by a newer one",
                                           "another producer with the same transactional id runs; stop one of them"};
inline constexpr ErrorCode kInvalidTransactionState{1216, ErrorDomain::kData, "transaction is not in a state for this"};
inline constexpr ErrorCode kCoordinatorFenced{1217, ErrorDomain::kInternal,
                                              "transaction coordinator was replaced by a newer one"};

// The Kafka protocol (log/wire): 1230 to 1239.
inline constexpr ErrorCode kMalformedMessage{1230, ErrorDomain::kData, "malformed Kafka message"};
inline constexpr ErrorCode kUnsupportedMessageVersion{1231, ErrorDomain::kData,
                                                      "version of a Kafka message is not supported"};
inline constexpr ErrorCode kUnencodableMessage{1232, ErrorDomain::kInternal, "Kafka message can't be encoded"};
inline constexpr ErrorCode kAuthenticationFailed{1233, ErrorDomain::kUser, "authentication failed",
                                                 "check user name, password and mechanism"};

// The schema registry (log/schema_registry): 1240 to 1259.
inline constexpr ErrorCode kSubjectNotFound{1240, ErrorDomain::kUser, "subject not found",
                                            "tidemill schema list shows the subjects there are"};
inline constexpr ErrorCode kSchemaVersionNotFound{1241, ErrorDomain::kUser, "version of a subject not found"};
inline constexpr ErrorCode kSubjectSoftDeleted{1242, ErrorDomain::kUser, "subject was deleted already",
                                               "delete it permanently, or register a schema under it again"};
inline constexpr ErrorCode kSubjectNotSoftDeleted{1243, ErrorDomain::kUser, "subject was not deleted first",
                                                  "delete it without 'permanent' first"};
inline constexpr ErrorCode kVersionSoftDeleted{1244, ErrorDomain::kUser, "version was deleted already",
                                               "delete it permanently, or leave it"};
inline constexpr ErrorCode kVersionNotSoftDeleted{1245, ErrorDomain::kUser, "version was not deleted first",
                                                  "delete it without 'permanent' first"};
inline constexpr ErrorCode kNoSubjectConfig{1246, ErrorDomain::kUser, "subject has no configuration of its own"};
inline constexpr ErrorCode kNoSubjectMode{1247, ErrorDomain::kUser, "subject has no mode of its own"};
inline constexpr ErrorCode kInvalidSchemaVersion{1248, ErrorDomain::kUser, "invalid version of a schema",
                                                 "a number from 1 on, or latest"};
inline constexpr ErrorCode kInvalidCompatibility{
    1249, ErrorDomain::kUser, "invalid compatibility level",
    "NONE, BACKWARD, BACKWARD_TRANSITIVE, FORWARD, FORWARD_TRANSITIVE, FULL or FULL_TRANSITIVE"};
inline constexpr ErrorCode kInvalidRegistryMode{1250, ErrorDomain::kUser, "invalid mode of the schema registry",
                                                "READWRITE, READONLY, READONLY_OVERRIDE or IMPORT"};
inline constexpr ErrorCode kRegistryNotPermitted{1251, ErrorDomain::kUser, "the registry's mode does not permit this",
                                                 "look at the mode of the subject and the global one"};
inline constexpr ErrorCode kSchemaReferenced{1252, ErrorDomain::kUser, "schema is referred to by others",
                                             "delete those that refer to it first"};
inline constexpr ErrorCode kInvalidSubject{1253, ErrorDomain::kUser, "invalid name of a subject"};
inline constexpr ErrorCode kUnsupportedRegistryFeature{1254, ErrorDomain::kUser,
                                                       "the schema registry does not have this"};

}  // namespace tidemill
