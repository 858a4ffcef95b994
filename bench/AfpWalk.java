import java.io.BufferedInputStream;
import java.io.FileInputStream;
import org.apache.fop.afp.parser.MODCAParser;
import org.apache.fop.afp.parser.UnparsedStructuredField;

/** Reads every structured field with the parser of Apache FOP; counts groups and tags. */
public final class AfpWalk {
    private AfpWalk() {
    }

    public static void main(String[] arguments) throws Exception {
        long started = System.nanoTime();
        long groups = 0;
        long tags = 0;
        try (BufferedInputStream stream =
                new BufferedInputStream(new FileInputStream(arguments[0]), 1 << 20)) {
            MODCAParser parser = new MODCAParser(stream);
            UnparsedStructuredField field;
            while ((field = parser.readNextStructuredField()) != null) {
                int type = field.getSfTypeCode() & 0xFF;
                int category = field.getSfCategoryCode() & 0xFF;
                if (type == 0xA8 && category == 0xAD) {
                    groups++;
                } else if (type == 0xA0 && category == 0x90) {
                    tags++;
                }
            }
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        System.out.println("{\"seconds\": " + seconds + ", \"documents\": " + groups
            + ", \"tags\": " + tags + "}");
    }
}
