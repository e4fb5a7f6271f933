#include "server/error_catalog.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/errors.h"
#include "connect/errors.h"
#include "data/errors.h"
#include "exec/errors.h"
#include "feature/errors.h"
#include "function/errors.h"
#include "job/errors.h"
#include "log/errors.h"
#include "model/errors.h"
#include "server/errors.h"
#include "sql/errors.h"
#include "state/errors.h"

namespace tidemill {
namespace {

const char* DomainText(ErrorDomain domain) {
  switch (domain) {
    case ErrorDomain::kUser:
      return "whoever wrote the script or command";
    case ErrorDomain::kData:
      return "whoever produces the data";
    case ErrorDomain::kExternal:
      return "an outside system: a disk, a network, a server";
    case ErrorDomain::kInternal:
      break;
  }
  return "the authors of Tidemill: please report it";
}

std::vector<CatalogEntry> MakeCatalog() {
  std::vector<CatalogEntry> entries = {
      // base
      {&kInternalError, ""},
      {&kFileNotFound, ""},
      {&kIoError, "The operating system refused a read or a write; the message has its words."},
      {&kDiskFull, "Writers get this error and may try again, readers go on. Nothing that was acknowledged is lost."},
      {&kSyncFailed,
       "After a failed fsync the system may have dropped what was written, so nothing more is acknowledged."},
      {&kAlreadyLocked,
       "One process at a time may have a data directory open. Commands that can ask a running server take --server "
       "URL."},
      {&kInvalidConfig,
       "A setting, option or variable has a value that can't be read; the message says what was expected."},
      {&kNetworkError, ""},
      {&kTimeout, ""},
      {&kAddressInUse, "Another process listens on this address and port; port 0 takes any free one."},
      {&kAddressRefused,
       "Calls to loopback, private and link-local addresses are refused, so that a script can't reach services inside "
       "the network that it "
       "was not meant to reach."},
      {&kCorruption, "A checksum does not fit its bytes."},
      {&kPermissionDenied, ""},
      {&kLimitExceeded, ""},
      {&kInvalidName, ""},
      {&kUnsafeListen,
       "Whoever reaches the address could read and write every topic, unless --kafka-security asks for TLS and a proof "
       "of identity."},
      // data
      {&kUnsupportedType, ""},
      {&kUnknownFormat, ""},
      {&kInvalidFormatOption, ""},
      {&kArrowError, ""},
      {&kNullKey, ""},
      {&kMissingColumn, ""},
      {&kInvalidSchema, ""},
      {&kIncompatibleSchema, ""},
      {&kSchemaNotFound, ""},
      {&kNullInNotNull, ""},
      // log
      {&kUnknownTopic, ""},
      {&kTopicExists, ""},
      {&kUnknownPartition, ""},
      {&kOffsetOutOfRange, ""},
      {&kRecordTooLarge, ""},
      {&kCorruptBatch,
       "The checksum of a stored batch does not fit: the disk gave back other bytes than were written. Nothing is "
       "guessed."},
      {&kUnsupportedCodec, ""},
      {&kInvalidBatch, ""},
      {&kInvalidTopicConfig, ""},
      {&kUnknownTransaction, ""},
      {&kTransactionAborted, ""},
      {&kLogClosed, ""},
      {&kUnknownGroup, ""},
      {&kTransactionCommitted, ""},
      {&kOutOfOrderSequence,
       "An idempotent producer numbers its records, and the log takes them in this order only: something between the "
       "last record it has and this one never arrived."},
      {&kProducerFenced, ""},
      {&kInvalidTransactionState, ""},
      {&kCoordinatorFenced, ""},
      {&kMalformedMessage, "The connection that sent it is closed; others are not touched."},
      {&kUnsupportedMessageVersion, ""},
      {&kUnencodableMessage, ""},
      {&kAuthenticationFailed,
       "A client could not prove who it is: the user name or password is wrong, or it used a mechanism that the "
       "server does not offer. What a client is told does not say which."},
      {&kSubjectNotFound, ""},
      {&kSchemaVersionNotFound, ""},
      {&kSubjectSoftDeleted, ""},
      {&kSubjectNotSoftDeleted,
       "Deleting has two steps: first a subject is no longer listed but data written with its schemas can still be "
       "read, "
       "then it is gone."},
      {&kVersionSoftDeleted, ""},
      {&kVersionNotSoftDeleted,
       "Deleting has two steps: first a version is no longer listed but data written with it can still be read, then "
       "it "
       "is gone."},
      {&kNoSubjectConfig, "The global configuration holds for it."},
      {&kNoSubjectMode, "The global mode holds for it."},
      {&kInvalidSchemaVersion, ""},
      {&kInvalidCompatibility, ""},
      {&kInvalidRegistryMode, ""},
      {&kRegistryNotPermitted, ""},
      {&kSchemaReferenced,
       "Data written with a schema that refers to this one could no longer be read. A softly deleted one still counts "
       "when this one is deleted permanently."},
      {&kInvalidSubject, ""},
      {&kUnsupportedRegistryFeature, ""},
      // state
      {&kIncompatibleState, ""},
      {&kStateLimit, ""},
      // function
      {&kNoSuchFunction, "SHOW FUNCTIONS lists what there is."},
      {&kWrongArguments, ""},
      {&kCastFailed, "TRY_CAST gives NULL instead. While running, the row goes to the rejects and the job goes on."},
      {&kDivisionByZero, "While running, the row goes to the rejects and the job goes on."},
      {&kNumericOverflow, ""},
      {&kInvalidArgument, ""},
      {&kAccumulatorFull, ""},
      // sql
      {&kSyntaxError,
       "The caret stands at the first word that does not fit; the message names what was expected there."},
      {&kUnknownVariable, "${name} is replaced by -D name=value; ${name:-default} needs no -D."},
      {&kUnsupportedSyntax, "The construct is known, but Tidemill does not have it (yet)."},
      {&kTableNotFound,
       "Tables, views and models are created by the script itself, or by an earlier one given with -i. Names are "
       "case-sensitive."},
      {&kModelNotFound, "CREATE MODEL must come before the statement that uses the model."},
      {&kAlreadyExists, "CREATE ... IF NOT EXISTS gives way to what is there."},
      {&kColumnNotFound, "The note lists the columns that can be named here. Names are case-sensitive."},
      {&kAmbiguousColumn, "Several inputs have a column of this name: write alias.column."},
      {&kTypeMismatch, "Types are only widened by themselves (INT to BIGINT to DOUBLE); anything else needs CAST."},
      {&kInvalidAggregate, ""},
      {&kInvalidWindow, ""},
      {&kNoTimeAttribute,
       "Windows, OVER and temporal joins go by event time: the column for which the table declares a WATERMARK, passed "
       "on unchanged."},
      {&kInvalidJoin, ""},
      {&kInvalidOption, "The caret stands at the option's value in WITH (...)."},
      {&kUnknownOption, ""},
      {&kMissingOption, ""},
      {&kUnknownConnector, ""},
      {&kInvalidInsert, ""},
      {&kInvalidWatermark, ""},
      {&kChangelogMismatch,
       "The query updates rows it has given before (-U, +U); the sink takes only new rows. Give the sink a PRIMARY "
       "KEY, or use a window, "
       "whose rows are final."},
      {&kInvalidLiteral, ""},
      {&kNestingTooDeep, ""},
      {&kModelMismatch,
       "The model file has other inputs or outputs than CREATE MODEL declares; the message names them."},
      // exec
      {&kNullRowtime, "A row without event time belongs to no window. DROP rejects such rows and counts them."},
      {&kPredictionFailed, ""},
      {&kCancelled, ""},
      {&kUnsupportedOperator, ""},
      {&kInvalidRuntimeOption, ""},
      {&kUnsupportedOver, ""},
      {&kUnsupportedState, ""},
      // model
      {&kOnnxRuntimeMissing, ""},
      {&kInvalidModelFile, ""},
      {&kModelExternalData,
       "A model file that names other files could read any file of this machine: everything must be in the one file."},
      {&kUnknownProvider, ""},
      {&kModelRunFailed, ""},
      // feature
      {&kViewNotFound, ""},
      {&kViewMismatch, ""},
      {&kFeatureNotFound, ""},
      {&kInvalidFeatureRequest, ""},
      {&kOfflineFile, ""},
      {&kFeatureStoreFull, ""},
      {&kInvalidLabels, ""},
      // connect
      {&kNoFilesFound, ""},
      {&kDeliveryFailed,
       "The receiver did not take a row although it was sent again; the row is in the dead letters: tidemill dlq list"},
      {&kKafkaUnreachable,
       "No broker answered in time (10 seconds, 'properties.default.api.timeout.ms' says otherwise). A job that runs "
       "waits for its brokers; one that starts does not."},
      {&kKafkaLoginFailed, "The brokers are there, but TLS or the login failed; the message has their words."},
      {&kKafkaNotAllowed, ""},
      {&kKafkaUnknownTopic, ""},
      {&kKafkaRecordsGone,
       "The topic's retention has removed records that the job has not read yet, or the topic was made anew. Going on "
       "would lose them silently, so the job stops."},
      {&kKafkaRefused, "The message has Kafka's own name of the error."},
      {&kRedisUnreachable,
       "The server did not answer in time, or is loading its data, out of memory or a replica. A job that runs waits "
       "for it; one that starts does not."},
      {&kRedisLoginFailed, ""},
      {&kRedisNotAllowed, "A reader needs +xread +xinfo +multi +exec +ping, a writer +xadd +ping, and the keys."},
      {&kRedisRecordsGone,
       "The stream was trimmed before the job had read it, or was made anew. Going on would lose entries silently, so "
       "the job stops."},
      {&kRedisRefused, "The message has the server's own words."},
      {&kKinesisUnreachable,
       "The service did not answer in time, or has too much to do. A job that runs waits for it; one that starts does "
       "not."},
      {&kKinesisLoginFailed, ""},
      {&kKinesisNotAllowed,
       "A reader needs kinesis:ListShards, GetShardIterator and GetRecords, a writer kinesis:PutRecords, and KMS the "
       "stream's key."},
      {&kKinesisUnknownStream, "A shard goes when all of its records are older than the stream keeps them."},
      {&kKinesisRefused, "The message has Kinesis' own words."},
      {&kPubsubUnreachable, ""},
      {&kPubsubNotAllowed, ""},
      {&kPubsubNotFound, ""},
      {&kPubsubRefused, "The message has Google's own words."},
      // job
      {&kBadManifest, ""},
      {&kIncompatiblePlan, ""},
      {&kJobFailed, ""},
      {&kNoConnector, ""},
      // server
      {&kUsage, ""},
      {&kNotFound, ""},
      {&kOutputExists,
       "A bounded run leaves the whole result of its script; rows of an earlier run beside them would be counted twice "
       "by whoever reads the folder. The "
       "output of an earlier run of the same job is replaced by itself."},
      {&kBadJobRecord, ""},
      {&kStopTimedOut,
       "A run that is told to stop first processes what it has read and waits until its sinks have it all. Where the "
       "system behind a sink is gone, that would take for ever; after --stop-timeout seconds the run ends without it. "
       "Nothing is lost: the next run starts from the last epoch that was committed."},
  };
  std::sort(entries.begin(), entries.end(),
            [](const CatalogEntry& a, const CatalogEntry& b) { return a.code->number < b.code->number; });
  return entries;
}

}  // namespace

const std::vector<CatalogEntry>& ErrorCatalog() {
  static const std::vector<CatalogEntry> kCatalog = MakeCatalog();
  return kCatalog;
}

const CatalogEntry* FindErrorCode(std::string_view name) {
  if (name.size() > 2 && (name[0] == 'T' || name[0] == 't') && (name[1] == 'M' || name[1] == 'm'))
    name.remove_prefix(2);
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return nullptr;
  for (const CatalogEntry& entry : ErrorCatalog()) {
    if (entry.code->number == number) return &entry;
  }
  return nullptr;
}

bool LooksLikeErrorCode(std::string_view name) {
  return name.size() >= 5 && name.size() <= 7 && (name[0] == 'T' || name[0] == 't') &&
         (name[1] == 'M' || name[1] == 'm') &&
         std::all_of(name.begin() + 2, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string ExplainErrorCode(const CatalogEntry& entry) {
  const ErrorCode& code = *entry.code;
  std::string out = fmt::format("TM{:04}: {}\n", code.number, code.title);
  if (!entry.text.empty()) out += fmt::format("\n{}\n", entry.text);
  out += "\n";
  if (!code.remedy.empty()) out += fmt::format("What to do:  {}\n", code.remedy);
  out += fmt::format("Who can act: {}\n", DomainText(code.domain));
  out += fmt::format("Trying again: {}\n",
                     code.retriable ? "may help" : "gives the same error until something is changed");
  return out;
}

}  // namespace tidemill
