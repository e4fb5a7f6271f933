import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.TreeSet;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/** Apache Avro's own verdicts. A line of standard input is a reader's schema, a tab and a writer's; the answer is a line: "ok", or the places and kinds of what is
 *  incompatible, or "invalid" where one of the two is no schema. */
class AvroRules {
  private AvroRules() {}

  private static Schema parse(String text) {
    // Schema.parse does not take a text with something behind the schema, nor a default of another type than its field's.
    return new Schema.Parser().parse(text);
  }

  private static String judge(String line) {
    String[] schemas = line.split("\t", 2);
    Schema reader, writer;
    try {
      reader = parse(schemas[0]);
      writer = parse(schemas[1]);
    } catch (RuntimeException e) {
      return "invalid " + String.valueOf(e.getMessage()).replace('\n', ' ');
    }
    var found = new TreeSet<String>();
    for (var conflict : SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult().getIncompatibilities()) {
      found.add(conflict.getType() + " " + conflict.getLocation());
    }
    return found.isEmpty() ? "ok" : String.join("\t", found);
  }

  public static void main(String[] arguments) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = in.readLine()) != null;) System.out.println(judge(line));
  }
}
