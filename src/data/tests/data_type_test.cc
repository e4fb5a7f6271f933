#include "data/data_type.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "data/errors.h"
#include "data/schema.h"

namespace tidemill {
namespace {

TEST(DataType, PrintsAsSql) {
  EXPECT_EQ(DataType(TypeKind::kInt, false).ToString(), "INT NOT NULL");
  EXPECT_EQ(DataType::Decimal(10, 2).ToString(), "DECIMAL(10, 2)");
  EXPECT_EQ(DataType::TimestampLtz(3).ToString(), "TIMESTAMP_LTZ(3)");
  EXPECT_EQ(DataType::Array(DataType(TypeKind::kString)).ToString(), "ARRAY<STRING>");
  EXPECT_EQ(DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kDouble)).ToString(),
            "MAP<STRING NOT NULL, DOUBLE>");
  EXPECT_EQ(DataType::Row({{"a", DataType(TypeKind::kInt)}, {"b`c", DataType(TypeKind::kString, false)}}).ToString(),
            "ROW<`a` INT, `b``c` STRING NOT NULL>");
}

TEST(DataType, EqualityLooksAtNullabilityAndSameAsDoesNot) {
  const DataType a = DataType::Row({{"x", DataType(TypeKind::kInt, false)}});
  const DataType b = DataType::Row({{"x", DataType(TypeKind::kInt, true)}}, false);
  EXPECT_FALSE(a == b);
  EXPECT_TRUE(a.SameAs(b));
  EXPECT_FALSE(a.SameAs(DataType::Row({{"y", DataType(TypeKind::kInt)}})));
  EXPECT_FALSE(DataType::Timestamp(3).SameAs(DataType::Timestamp(6)));
  EXPECT_EQ(DataType::Timestamp(3, false).WithNullable(true), DataType::Timestamp(3));
}

TEST(DataType, SurvivesTheWayThroughArrow) {
  const std::vector<DataType> types = {DataType(TypeKind::kBoolean),
                                       DataType(TypeKind::kTinyInt),
                                       DataType(TypeKind::kSmallInt),
                                       DataType(TypeKind::kInt),
                                       DataType(TypeKind::kBigInt),
                                       DataType(TypeKind::kFloat),
                                       DataType(TypeKind::kDouble),
                                       DataType::Decimal(38, 18),
                                       DataType(TypeKind::kString),
                                       DataType(TypeKind::kBytes),
                                       DataType(TypeKind::kDate),
                                       DataType(TypeKind::kTime),
                                       DataType::Timestamp(3),
                                       DataType::Timestamp(6),
                                       DataType::TimestampLtz(9),
                                       DataType::Array(DataType(TypeKind::kInt)),
                                       DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kInt)),
                                       DataType::Row({{"a", DataType::Array(DataType(TypeKind::kString))}})};
  for (const DataType& type : types) {
    auto back = FromArrow(*ToArrow(type));
    ASSERT_TRUE(back.ok()) << type.ToString();
    EXPECT_EQ(*back, type) << type.ToString() << " came back as " << back->ToString();
  }
}

TEST(DataType, MapsForeignArrowTypes) {
  EXPECT_EQ(FromArrow(*arrow::uint64())->ToString(), "DECIMAL(20, 0)");
  EXPECT_EQ(FromArrow(*arrow::uint8())->ToString(), "SMALLINT");
  EXPECT_EQ(FromArrow(*arrow::timestamp(arrow::TimeUnit::MICRO, "Europe/Berlin"))->ToString(), "TIMESTAMP_LTZ(6)");
  EXPECT_EQ(FromArrow(*arrow::dictionary(arrow::int32(), arrow::utf8()), false)->ToString(), "STRING NOT NULL");
  EXPECT_TRUE(FromArrow(*arrow::decimal256(60, 2)).status().Is(kUnsupportedType));
  EXPECT_TRUE(FromArrow(*arrow::dense_union({arrow::field("a", arrow::int32())})).status().Is(kUnsupportedType));
}

TEST(Schema, FindsColumnsByName) {
  const Schema schema({{"id", DataType(TypeKind::kBigInt, false)}, {"name", DataType(TypeKind::kString)}});
  EXPECT_EQ(schema.IndexOf("name"), 1);
  EXPECT_EQ(schema.IndexOf("NAME"), std::nullopt);
  EXPECT_EQ(schema.ToString(), "(id BIGINT NOT NULL, name STRING)");
  EXPECT_EQ(schema.arrow()->ToString(), "id: int64 not null\nname: string");
  EXPECT_EQ(Schema().arrow()->num_fields(), 0);
}

}  // namespace
}  // namespace tidemill
