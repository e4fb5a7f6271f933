#include "feature/online_files.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/simulated_file_system.h"
#include "feature/internal/online_view.h"
#include "feature/tests/rows.h"

namespace tidemill {
namespace {

constexpr char kFolder[] = "/store/views/card_stats";

std::vector<CardRow> Stored(FileSystem& files, Status* status, bool read_only = false) {
  std::vector<CardRow> rows;
  auto opened = OnlineFiles::Open(files, kFolder, read_only);
  *status = opened.ok() ? (*opened)->Recover([&rows](const arrow::RecordBatch& batch) {
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      rows.push_back({batch.column_data(0)->GetValues<int64_t>(1)[i], batch.column_data(1)->GetValues<int64_t>(1)[i],
                      batch.column_data(2)->GetValues<int32_t>(1)[i]});
    }
    return Status::OK();
  })
                        : opened.status();
  return rows;
}

TEST(OnlineFiles, GiveBackWhatWasAppended) {
  SimulatedFileSystem files;
  {
    auto opened = *OnlineFiles::Open(files, kFolder, false);
    ASSERT_TRUE(opened->Append({CardRows({{1, 1, 1}}), CardRows({{2, 2, 2}})}).ok());
    ASSERT_TRUE(opened->Append({CardRows({{3, 3, 3}})}).ok());
  }
  files.Crash(1);
  Status status;
  EXPECT_EQ(Stored(files, &status), (std::vector<CardRow>{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}}));
  EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST(OnlineFiles, AnyCrashKeepsWhatWasAcknowledged) {
  for (int64_t stop = 0; stop < 200; ++stop) {
    SimulatedFileSystem files;
    files.StopAfter(stop);
    std::vector<CardRow> acknowledged;
    bool done = false;
    const auto run = [&]() -> Status {
      TM_ASSIGN_OR_RETURN(const auto opened, OnlineFiles::Open(files, kFolder, false));
      for (int i = 0; i < 12; ++i) {
        const CardRow row{i, i, i};
        TM_RETURN_IF_ERROR(opened->Append({CardRows({row})}));
        acknowledged.push_back(row);
        if (i % 5 == 4) {
          TM_RETURN_IF_ERROR(
              opened->WriteSnapshot([&](const auto& write) -> Status { return write({CardRows(acknowledged)}); }));
        }
      }
      done = true;
      return Status::OK();
    };
    const Status ran = run();
    EXPECT_EQ(ran.ok(), done);
    files.Crash(static_cast<uint64_t>(stop) * 7 + 1);
    Status status;
    const std::vector<CardRow> rows = Stored(files, &status);
    ASSERT_TRUE(status.ok()) << "stopped after " << stop << ": " << status.ToString();
    for (const CardRow& row : acknowledged)
      EXPECT_NE(std::find(rows.begin(), rows.end(), row), rows.end())
          << "stopped after " << stop << ", row " << row.card;
    if (done) break;
    ASSERT_LT(stop, 199) << "the run never ends";
  }
}

TEST(OnlineFiles, DamageInTheMiddleIsSaidAndATornEndIsNot) {
  SimulatedFileSystem files;
  {
    auto opened = *OnlineFiles::Open(files, kFolder, false);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(opened->Append({CardRows({{i, i, i}})}).ok());
  }
  const std::string log = std::string(kFolder) + "/online-1.log";
  const int64_t size = files.Stat(log)->size;
  Status status;
  ASSERT_TRUE(files.Chop(log, size - 5).ok());
  EXPECT_EQ(Stored(files, &status).size(), 2u);
  EXPECT_TRUE(status.ok()) << status.ToString();
  // Any bit of the first frame, its head included.
  for (int64_t byte = 0; byte < size / 3; byte += 11) {
    ASSERT_TRUE(files.FlipBit(log, byte, 3).ok());
    (void)Stored(files, &status);
    EXPECT_TRUE(status.Is(kCorruption)) << "byte " << byte << ": " << status.ToString();
    EXPECT_NE(status.ToString().find(log + ": the frame at byte 0"), std::string::npos) << status.ToString();
    ASSERT_TRUE(files.FlipBit(log, byte, 3).ok());
  }
}

TEST(OnlineView, WritesAgainWhatADiskDidNotTake) {
  SimulatedFileSystem files;
  auto view = *OnlineView::Open(files, kFolder, CardView(), false);
  const auto keys = *view->table().MakeKeyEncoder();
  ASSERT_TRUE(view->table().Upsert(*CardRows({{1, 1, 1}}), *keys, true).ok());
  files.SetCapacity(10);
  EXPECT_TRUE(view->Flush().Is(kDiskFull));
  files.SetCapacity(-1);
  ASSERT_TRUE(view->table().Upsert(*CardRows({{2, 2, 2}}), *keys, true).ok());
  ASSERT_TRUE(view->Flush().ok());
  view.reset();
  files.Crash(3);
  auto again = OnlineView::Open(files, kFolder, CardView(), false);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ((*again)->table().size(), 2);
}

TEST(OnlineView, KeepsFeaturesThatStillHaveTheirNameAndType) {
  SimulatedFileSystem files;
  {
    auto view = *OnlineView::Open(files, kFolder, CardView(), false);
    ASSERT_TRUE(view->table().Upsert(*CardRows({{1, 1, 8}}), **view->table().MakeKeyEncoder(), true).ok());
    ASSERT_TRUE(view->Flush().ok());
  }
  FeatureView changed = CardView();
  changed.schema = Schema({{"card_id", DataType(TypeKind::kBigInt, false)},
                           {"extra", DataType(TypeKind::kDouble)},
                           {"country", DataType(TypeKind::kString)},
                           {"n", DataType(TypeKind::kBigInt)},
                           {"ts", DataType::Timestamp(3)}});
  auto view = *OnlineView::Open(files, kFolder, changed, true);
  const auto got =
      view->table().Get({ArrayFrom(arrow::int64(), "[1]")}, 1, {1, 2, 3}, **view->table().MakeKeyEncoder());
  ASSERT_TRUE(got.ok());
  EXPECT_TRUE(got->found[0]);
  EXPECT_TRUE(got->values[0]->IsNull(0));
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*got->values[1]).GetString(0), "c8");
  EXPECT_TRUE(got->values[2]->IsNull(0));  // was INT
}

}  // namespace
}  // namespace tidemill
