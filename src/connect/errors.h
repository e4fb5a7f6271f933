#pragma once

#include "exec/errors.h"
#include "log/errors.h"

namespace tidemill {

// TM60xx: connectors.
inline constexpr ErrorCode kNoFilesFound{6001, ErrorDomain::kUser, "no input files"};
inline constexpr ErrorCode kDeliveryFailed{6003, ErrorDomain::kExternal, "delivery failed", "", true};
inline constexpr ErrorCode kKafkaUnreachable{
    6010, ErrorDomain::kExternal, "Kafka can't be reached",
    "check 'properties.bootstrap.servers', the network and 'properties.security.protocol'", true};
inline constexpr ErrorCode kKafkaLoginFailed{6011, ErrorDomain::kUser, "Kafka refused the connection",
                                             "check the 'properties.sasl.*' and 'properties.ssl.*' options"};
inline constexpr ErrorCode kKafkaNotAllowed{6012, ErrorDomain::kUser, "not allowed by Kafka",
                                            "ask for an ACL that allows it"};
inline constexpr ErrorCode kKafkaUnknownTopic{6013, ErrorDomain::kUser, "Kafka has no such topic",
                                              "create the topic, or correct 'topic'"};
inline constexpr ErrorCode kKafkaRecordsGone{
    6014, ErrorDomain::kUser, "records to be read next are gone from Kafka",
    "to go on with what is there: 'properties.auto.offset.reset' = 'earliest' (or 'latest')"};
inline constexpr ErrorCode kKafkaRefused{6015, ErrorDomain::kExternal, "Kafka answered with an error", "", true};
inline constexpr ErrorCode kRedisUnreachable{6030, ErrorDomain::kExternal, "Redis can't be reached",
                                             "check 'url', the network and 'timeout'", true};
inline constexpr ErrorCode kRedisLoginFailed{6031, ErrorDomain::kUser, "Redis refused the login",
                                             "check 'username' and 'password'"};
inline constexpr ErrorCode kRedisNotAllowed{6032, ErrorDomain::kUser, "not allowed by Redis",
                                            "ask for an ACL that allows it"};
inline constexpr ErrorCode kRedisRecordsGone{6033, ErrorDomain::kUser, "entries to be read next are gone from Redis",
                                             "to go on with what is there: 'auto.offset.reset' = 'earliest' (or "
                                             "'latest')"};
inline constexpr ErrorCode kRedisRefused{6034, ErrorDomain::kExternal, "Redis answered with an error"};
inline constexpr ErrorCode kKinesisUnreachable{6040, ErrorDomain::kExternal, "Kinesis can't be reached",
                                               "check 'aws.region', 'aws.endpoint' and the network", true};
inline constexpr ErrorCode kKinesisLoginFailed{6041, ErrorDomain::kUser, "Kinesis refused the credentials",
                                               "check 'aws.credentials.*', and the machine's clock"};
inline constexpr ErrorCode kKinesisNotAllowed{6042, ErrorDomain::kUser, "not allowed by Kinesis",
                                              "ask for an IAM policy that allows it"};
inline constexpr ErrorCode kKinesisUnknownStream{6043, ErrorDomain::kUser, "Kinesis has no such stream or shard",
                                                 "create the stream, or correct 'stream.arn'"};
inline constexpr ErrorCode kKinesisRefused{6044, ErrorDomain::kExternal, "Kinesis answered with an error"};
inline constexpr ErrorCode kPubsubUnreachable{6050, ErrorDomain::kExternal, "Pub/Sub can't be reached",
                                              "check 'endpoint' or 'emulator-host', and the network", true};
inline constexpr ErrorCode kPubsubNotAllowed{6051, ErrorDomain::kUser, "not allowed by Pub/Sub",
                                             "check 'credentials-file' and the roles of the account"};
inline constexpr ErrorCode kPubsubNotFound{6052, ErrorDomain::kUser, "Pub/Sub has no such topic or subscription",
                                           "create it, or correct 'project', 'topic' and 'subscription'"};
inline constexpr ErrorCode kPubsubRefused{6053, ErrorDomain::kExternal, "Pub/Sub answered with an error", ""};

}  // namespace tidemill
