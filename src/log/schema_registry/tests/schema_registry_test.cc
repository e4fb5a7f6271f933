#include "log/schema_registry/schema_registry.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "data/errors.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

SchemaDefinition AvroRecord(const std::string& fields, std::vector<SchemaReference> references = {}) {
  return {SchemaLanguage::kAvro, R"({"type":"record","name":"R","fields":[)" + fields + "]}", std::move(references)};
}
const char kFieldA[] = R"({"name":"a","type":"int"})";
const char kFieldB[] = R"({"name":"b","type":"int","default":0})";
const char kFieldC[] = R"({"name":"c","type":"int"})";  // nothing stands for it where it is missing

class SchemaRegistryTest : public QuietLogTest {
 protected:
  void SetUp() override {
    QuietLogTest::SetUp();
    OpenRegistry();
  }
  void TearDown() override {
    registry_.reset();
    QuietLogTest::TearDown();
  }
  void OpenRegistry() {
    registry_.reset();
    auto opened = SchemaRegistry::Open(*log_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    registry_ = *std::move(opened);
  }
  void RestartRegistry(uint64_t seed = 7) {
    registry_.reset();
    CrashAndOpen(seed);
    OpenRegistry();
  }
  int32_t MustRegister(const std::string& subject, const SchemaDefinition& schema,
                       const RegisterOptions& options = {}) {
    const auto version = registry_->RegisterVersion(subject, schema, options);
    EXPECT_TRUE(version.ok()) << version.status().ToString();
    return version.ok() ? version->id : -1;
  }
  // Everything that can be asked, as one text.
  std::string Describe() {
    std::string text;
    for (const RegisteredVersion& version : registry_->Schemas("", DeletedFilter::kAll, false)) {
      text += version.subject + ":" + std::to_string(version.version) + "=" + std::to_string(version.id) +
              (version.deleted ? "x" : "") + " " + version.schema.text + "\n";
      text += std::string(CompatibilityLevelName(*registry_->EffectiveConfig(version.subject).compatibility)) + " " +
              std::string(RegistryModeName(registry_->EffectiveMode(version.subject))) + "\n";
    }
    return text + std::string(RegistryModeName(registry_->EffectiveMode(""))) + std::to_string(registry_->max_id());
  }

  std::unique_ptr<SchemaRegistry> registry_;
};

TEST_F(SchemaRegistryTest, OneIdForASchemaAndVersionsBySubject) {
  EXPECT_TRUE(log_->ListTopics().empty()) << "the topic is made with the first schema";
  EXPECT_EQ(MustRegister("a", AvroRecord(kFieldA)), 1);
  EXPECT_EQ(MustRegister("a", AvroRecord(std::string(" ") + kFieldA)), 1);
  EXPECT_EQ(MustRegister("b", AvroRecord(kFieldA)), 1);
  EXPECT_EQ(MustRegister("a", AvroRecord(std::string(kFieldA) + "," + kFieldB)), 2);
  EXPECT_EQ(*registry_->Versions("a", DeletedFilter::kLive), (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(registry_->UsesOf(1, DeletedFilter::kLive)->size(), 2U);
  EXPECT_EQ(registry_->Lookup("a", AvroRecord(kFieldA), false)->version, 1);
  EXPECT_TRUE(registry_->Lookup("a", AvroRecord(kFieldC), false).status().Is(kSchemaNotFound));
  EXPECT_TRUE(registry_->Lookup("none", AvroRecord(kFieldA), false).status().Is(kSubjectNotFound));
  EXPECT_TRUE(registry_->SchemaById(3).status().Is(kSchemaNotFound));
  EXPECT_EQ((*registry_->LatestOf("a"))->id, 2);
  EXPECT_FALSE(registry_->LatestOf("none")->has_value());
}

TEST_F(SchemaRegistryTest, WhatWasAnsweredOutlivesACrash) {
  MustRegister("a", AvroRecord(kFieldA));
  MustRegister("a", AvroRecord(std::string(kFieldA) + "," + kFieldB));
  MustRegister("b", AvroRecord(kFieldC));
  TM_ASSERT_OK(registry_->SetConfig("b", {.compatibility = CompatibilityLevel::kFullTransitive}));
  TM_ASSERT_OK(registry_->DeleteVersion("a", 1, false));
  MustRegister("gone", AvroRecord(R"({"name":"g","type":"string"})"));
  TM_ASSERT_OK(registry_->DeleteSubject("gone", false));
  TM_ASSERT_OK(registry_->DeleteSubject("gone", true));
  TM_ASSERT_OK(registry_->SetMode("b", RegistryMode::kReadOnly, false));
  const std::string before = Describe();
  for (uint64_t seed = 1; seed < 8; ++seed) {
    RestartRegistry(seed);
    ASSERT_EQ(Describe(), before);
  }
  EXPECT_TRUE(registry_->SchemaById(4).status().Is(kSchemaNotFound));
  EXPECT_EQ(MustRegister("new", AvroRecord(R"({"name":"n","type":"string"})")), 5) << "an id is never given twice";
  EXPECT_EQ(MustRegister("new2", AvroRecord(kFieldA)), 1) << "what was deleted softly keeps its id";
}

TEST_F(SchemaRegistryTest, EveryCrashLeavesAllThatWasAnswered) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    registry_.reset();
    StartAnew();
    OpenRegistry();
    std::vector<std::pair<std::string, int32_t>> answered;
    files_.StopAfter(static_cast<int64_t>(seed * 3));
    for (int i = 0; i < 12; ++i) {
      const std::string subject = "s" + std::to_string(i % 3);
      const auto version = registry_->RegisterVersion(
          subject, AvroRecord(R"({"name":"f)" + std::to_string(i) + R"(","type":"int","default":0})"));
      if (version.ok()) answered.emplace_back(subject, version->version);
    }
    RestartRegistry(seed);
    for (size_t i = 0; i < answered.size(); ++i)
      ASSERT_TRUE(registry_->Version(answered[i].first, answered[i].second, DeletedFilter::kLive).ok()) << seed;
  }
}

TEST_F(SchemaRegistryTest, TheSevenLevels) {
  const SchemaDefinition base = AvroRecord(kFieldA);
  const SchemaDefinition more = AvroRecord(std::string(kFieldA) + "," + kFieldB);   // fits both ways
  const SchemaDefinition needs = AvroRecord(std::string(kFieldA) + "," + kFieldC);  // can't read base
  const SchemaDefinition none = AvroRecord(kFieldB);                                // base can't read it
  struct Case {
    CompatibilityLevel level;
    bool more, needs, none;
  };
  const Case cases[] = {
      {CompatibilityLevel::kNone, true, true, true},
      {CompatibilityLevel::kBackward, true, false, true},
      {CompatibilityLevel::kBackwardTransitive, true, false, true},
      {CompatibilityLevel::kForward, true, true, false},
      {CompatibilityLevel::kForwardTransitive, true, true, false},
      {CompatibilityLevel::kFull, true, false, false},
      {CompatibilityLevel::kFullTransitive, true, false, false},
  };
  for (const Case& one : cases) {
    const std::string subject(CompatibilityLevelName(one.level));
    TM_ASSERT_OK(registry_->SetConfig(subject, {.compatibility = one.level}));
    MustRegister(subject, base);
    EXPECT_EQ(registry_->CheckCompatibility(subject, std::nullopt, more, false)->compatible, one.more) << subject;
    EXPECT_EQ(registry_->CheckCompatibility(subject, std::nullopt, needs, false)->compatible, one.needs) << subject;
    EXPECT_EQ(registry_->CheckCompatibility(subject, std::nullopt, none, false)->compatible, one.none) << subject;
    const auto refused = registry_->RegisterVersion(subject, needs);
    EXPECT_EQ(refused.ok(), one.needs) << subject;
    if (!one.needs) {
      EXPECT_TRUE(refused.status().Is(kIncompatibleSchema));
      EXPECT_NE(refused.status().message().find("READER_FIELD_MISSING_DEFAULT_VALUE"), std::string::npos);
    }
  }
}

TEST_F(SchemaRegistryTest, TransitiveLevelsLookFurtherBack) {
  // Version 1 writes no b, version 2 writes it and gives it a default, version 3 demands it.
  for (const bool transitive : {false, true}) {
    const std::string subject = transitive ? "all" : "last";
    TM_ASSERT_OK(registry_->SetConfig(subject, {.compatibility = transitive ? CompatibilityLevel::kBackwardTransitive
                                                                            : CompatibilityLevel::kBackward}));
    MustRegister(subject, AvroRecord(kFieldA));
    MustRegister(subject, AvroRecord(std::string(kFieldA) + "," + kFieldB));
    const auto third =
        registry_->RegisterVersion(subject, AvroRecord(std::string(kFieldA) + R"(,{"name":"b","type":"int"})"));
    EXPECT_EQ(third.ok(), !transitive);
  }
}

TEST_F(SchemaRegistryTest, WhatIsReferredToStays) {
  MustRegister("inner", {SchemaLanguage::kAvro, R"({"type":"enum","name":"E","symbols":["X"]})", {}});
  const SchemaDefinition outer = AvroRecord(R"({"name":"e","type":"E"})", {{"E", "inner", kLatestVersion}});
  const int32_t id = MustRegister("outer", outer);
  EXPECT_EQ(registry_->Definition(id)->references[0].version, 1) << "latest is the version it was then";
  EXPECT_EQ(registry_->SchemaById(id)->parts.size(), 1U);
  EXPECT_EQ(*registry_->ReferencedBy("inner", 1), std::vector<int32_t>{id});
  EXPECT_TRUE(registry_->DeleteSubject("inner", false).status().Is(kSchemaReferenced));
  EXPECT_TRUE(registry_->DeleteVersion("inner", 1, false).status().Is(kSchemaReferenced));
  TM_ASSERT_OK(registry_->DeleteSubject("outer", false));
  TM_ASSERT_OK(registry_->DeleteSubject("inner", false));
  EXPECT_TRUE(registry_->DeleteSubject("inner", true).status().Is(kSchemaReferenced)) << "outer can be read by id";
  EXPECT_EQ(registry_->SchemaById(id)->parts.size(), 1U);
  TM_ASSERT_OK(registry_->DeleteSubject("outer", true));
  TM_ASSERT_OK(registry_->DeleteSubject("inner", true));
  EXPECT_TRUE(registry_->RegisterVersion("outer", outer).status().Is(kInvalidSchema));
}

TEST_F(SchemaRegistryTest, DeletingHasTwoSteps) {
  MustRegister("a", AvroRecord(kFieldA));
  MustRegister("a", AvroRecord(std::string(kFieldA) + "," + kFieldB));
  EXPECT_TRUE(registry_->DeleteVersion("a", 1, true).status().Is(kVersionNotSoftDeleted));
  EXPECT_TRUE(registry_->DeleteSubject("a", true).status().Is(kSubjectNotSoftDeleted));
  EXPECT_EQ(*registry_->DeleteVersion("a", kLatestVersion, false), 2);
  EXPECT_TRUE(registry_->DeleteVersion("a", 2, false).status().Is(kVersionSoftDeleted));
  EXPECT_TRUE(registry_->Version("a", 2, DeletedFilter::kLive).status().Is(kSchemaVersionNotFound));
  EXPECT_TRUE(registry_->Version("a", 2, DeletedFilter::kAll).ok());
  EXPECT_TRUE(registry_->SchemaById(2).ok());
  EXPECT_EQ(*registry_->DeleteSubject("a", false), std::vector<int32_t>{1});
  EXPECT_TRUE(registry_->DeleteSubject("a", false).status().Is(kSubjectSoftDeleted));
  EXPECT_TRUE(registry_->Subjects("", DeletedFilter::kLive).empty());
  EXPECT_EQ(registry_->Subjects("", DeletedFilter::kDeleted), std::vector<std::string>{"a"});
  EXPECT_EQ(MustRegister("a", AvroRecord(kFieldA)), 1);
  EXPECT_EQ(*registry_->Versions("a", DeletedFilter::kLive), std::vector<int32_t>{3}) << "versions go on";
}

TEST_F(SchemaRegistryTest, ModesSayWhatMayBeDone) {
  MustRegister("a", AvroRecord(kFieldA));
  TM_ASSERT_OK(registry_->SetMode("a", RegistryMode::kReadOnly, false));
  EXPECT_EQ(MustRegister("a", AvroRecord(kFieldA)), 1) << "what is there is answered";
  EXPECT_TRUE(registry_->RegisterVersion("a", AvroRecord(kFieldB)).status().Is(kRegistryNotPermitted));
  EXPECT_TRUE(registry_->DeleteSubject("a", false).status().Is(kRegistryNotPermitted));
  EXPECT_TRUE(registry_->SetMode("a", RegistryMode::kImport, false).Is(kRegistryNotPermitted));
  EXPECT_TRUE(registry_->RegisterVersion("i", AvroRecord(kFieldB), {.id = 50}).status().Is(kRegistryNotPermitted));
  TM_ASSERT_OK(registry_->SetMode("i", RegistryMode::kImport, false));
  EXPECT_TRUE(registry_->RegisterVersion("i", AvroRecord(kFieldB)).status().Is(kRegistryNotPermitted));
  EXPECT_EQ(MustRegister("i", AvroRecord(kFieldB), {.id = 50, .version = 9}), 50);
  EXPECT_TRUE(registry_->RegisterVersion("i", AvroRecord(kFieldC), {.id = 50}).status().Is(kRegistryNotPermitted));
  EXPECT_EQ(*registry_->Versions("i", DeletedFilter::kLive), std::vector<int32_t>{9});
  EXPECT_EQ(MustRegister("next", AvroRecord(kFieldC)), 51);
  TM_ASSERT_OK(registry_->SetMode("", RegistryMode::kReadOnlyOverride, false));
  EXPECT_TRUE(registry_->RegisterVersion("next", AvroRecord(kFieldB)).status().Is(kRegistryNotPermitted));
  TM_ASSERT_OK(registry_->DeleteMode(""));
  EXPECT_EQ(*registry_->DeleteMode("a"), RegistryMode::kReadOnly);
  EXPECT_TRUE(registry_->GetMode("a").status().Is(kNoSubjectMode));
}

TEST_F(SchemaRegistryTest, RecordsAreThoseOfConfluentsRegistry) {
  MustRegister("a", AvroRecord(kFieldA));
  TM_ASSERT_OK(registry_->SetConfig("", {.compatibility = CompatibilityLevel::kFull}));
  TM_ASSERT_OK(registry_->DeleteSubject("a", false));
  PartitionReader reader(Get("_schemas"), 0);
  std::vector<RecordView> records;
  TM_ASSERT_OK(reader.Poll(10, &records));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, R"({"keytype":"SCHEMA","subject":"a","version":1,"magic":1})");
  EXPECT_EQ(
      nlohmann::json::parse(records[0].value),
      nlohmann::json(
          {{"subject", "a"}, {"version", 1}, {"id", 1}, {"schema", AvroRecord(kFieldA).text}, {"deleted", false}}));
  EXPECT_EQ(records[1].key, R"({"keytype":"CONFIG","subject":null,"magic":0})");
  EXPECT_EQ(nlohmann::json::parse(records[1].value)["compatibilityLevel"], "FULL");
  EXPECT_EQ(records[2].key, R"({"keytype":"DELETE_SUBJECT","subject":"a","magic":0})");
  EXPECT_EQ(nlohmann::json::parse(records[2].value), nlohmann::json({{"subject", "a"}, {"version", 1}}));
  EXPECT_EQ(log_->Describe("_schemas")->config.cleanup_policy, CleanupPolicy::kCompact);
}

TEST_F(SchemaRegistryTest, ForeignAndBrokenRecordsArePassedOver) {
  MustRegister("a", AvroRecord(kFieldA));
  const std::pair<std::string, std::string> foreign[] = {
      {"no json", "{}"},
      {R"({"keytype":"NOOP","magic":0})", ""},
      {R"({"keytype":"CONTEXT","tenant":"x","magic":0})", "{}"},
      {R"({"keytype":"SCHEMA","subject":"b","version":0,"magic":1})", "{}"},
      {R"({"keytype":"SCHEMA","subject":"b","version":1,"magic":1})", R"({"id":"x"})"},
      {R"({"keytype":"SCHEMA","subject":"b","version":1,"magic":1})", R"({"id":7,"schema":"x","schemaType":"THRIFT"})"},
      {R"({"keytype":"CONFIG","subject":"b","magic":0})", R"({"compatibilityLevel":"SOMETIMES"})"},
      {R"({"keytype":"SCHEMA","subject":"ok","version":4,"magic":1})",
       R"({"subject":"ok","version":4,"id":9,"schema":"\"int\"","deleted":false,"guid":"?"})"},
  };
  for (const auto& [key, value] : foreign) {
    const Record record{.key = key, .value = value};
    const auto offset = Get("_schemas")->Append({&record, 1});
    TM_ASSERT_OK(offset);
    TM_ASSERT_OK(Get("_schemas")->SyncUpTo(*offset));
  }
  RestartRegistry();
  EXPECT_EQ(registry_->Subjects("", DeletedFilter::kAll), (std::vector<std::string>{"a", "ok"}));
  EXPECT_EQ(MustRegister("ok2", {SchemaLanguage::kAvro, "\"int\"", {}}), 9);
  EXPECT_EQ(MustRegister("new", AvroRecord(kFieldC)), 10);
}

TEST_F(SchemaRegistryTest, BoundsAndNamesAreKept) {
  EXPECT_TRUE(registry_->RegisterVersion("", AvroRecord(kFieldA)).status().Is(kInvalidSubject));
  EXPECT_TRUE(registry_->RegisterVersion("a\nb", AvroRecord(kFieldA)).status().Is(kInvalidSubject));
  EXPECT_TRUE(registry_->RegisterVersion("\xff", AvroRecord(kFieldA)).status().Is(kInvalidSubject));
  EXPECT_TRUE(registry_->RegisterVersion(std::string(300, 'a'), AvroRecord(kFieldA)).status().Is(kInvalidSubject));
  EXPECT_TRUE(registry_->RegisterVersion(":.ctx:a", AvroRecord(kFieldA)).status().Is(kInvalidSubject));
  const std::string large = "\"" + std::string(kSchemaTextBytesMax, ' ') + "int\"";
  EXPECT_TRUE(registry_->RegisterVersion("a", {SchemaLanguage::kAvro, large, {}}).status().Is(kLimitExceeded));
  EXPECT_TRUE(registry_->RegisterVersion("a", {SchemaLanguage::kAvro, "\"\xff\"", {}}).status().Is(kInvalidSchema));
  MustRegister("a/b c%", AvroRecord(kFieldA));
  // A chain of references has an end.
  MustRegister("c0", {SchemaLanguage::kAvro, R"({"type":"enum","name":"C0","symbols":["X"]})", {}});
  Status last;
  for (int i = 1; i < kReferenceDepthMax + 5 && last.ok(); ++i) {
    const std::string before = std::to_string(i - 1);
    const auto version = registry_->RegisterVersion("c" + std::to_string(i),
                                                    {SchemaLanguage::kAvro,
                                                     R"({"type":"record","name":"C)" + std::to_string(i) +
                                                         R"(","fields":[{"name":"x","type":"C)" + before + "\"}]}",
                                                     {{"C" + before, "c" + before, 1}}});
    if (!version.ok()) last = version.status();
  }
  EXPECT_TRUE(last.Is(kInvalidSchema));
  EXPECT_NE(last.message().find("deeper"), std::string::npos) << last.message();
}

TEST_F(SchemaRegistryTest, NormalizedSchemasAreOne) {
  TM_ASSERT_OK(registry_->SetConfig("j", {.normalize = true}));
  MustRegister("j", {SchemaLanguage::kJson, R"({ "type": "object", "properties": {} })", {}});
  EXPECT_EQ(registry_->Version("j", 1, DeletedFilter::kLive)->schema.text, R"({"properties":{},"type":"object"})");
}

}  // namespace
}  // namespace tidemill
