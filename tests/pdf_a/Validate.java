import java.io.FileInputStream;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.flavours.PDFAFlavour;

/**
 * What veraPDF finds wrong in PDFs that must be PDF/A-3a: for each file a line with its name and
 * whether it is compliant, then a line for each rule that is broken.
 */
class Validate {
  public static void main(String[] files) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    var foundry = Foundries.defaultInstance();
    for (var file : files) {
      try (var content = new FileInputStream(file);
          var parser = foundry.createParser(content, PDFAFlavour.PDFA_3_A);
          var validator = foundry.createValidator(PDFAFlavour.PDFA_3_A, false)) {
        var result = validator.validate(parser);
        System.out.println(file + "\t" + result.isCompliant());
        var broken = new TreeSet<String>();
        for (var assertion : result.getTestAssertions()) {
          var rule = assertion.getRuleId();
          broken.add(rule.getClause() + "-" + rule.getTestNumber() + " " + assertion.getMessage());
        }
        broken.forEach(rule -> System.out.println("\t" + rule.replaceAll("\\s+", " ")));
      }
    }
  }
}
