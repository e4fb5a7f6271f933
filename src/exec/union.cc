#include "exec/union.h"

#include <arrow/record_batch.h>

namespace tidemill {

Status Union::ProcessBatch(int, Batch batch, Collector& out) {
  return out.Emit(batch.WithRows(arrow::RecordBatch::Make(output_.arrow(), batch.num_rows(), batch.rows->columns())));
}

}  // namespace tidemill
