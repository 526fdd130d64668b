// A CSV as rows of named cells, for what the command writes: RFC 4180 by the book, small and slow.

struct Table {
    let header: [String]
    let rows: [[String: String]]

    init(_ text: String) {
        var records: [[String]] = []
        var record: [String] = [], cell = "", quoted = false
        var characters = Array(text.unicodeScalars)[...]
        while let c = characters.popFirst() {
            switch (c, quoted) {
            case ("\"", true):
                if characters.first == "\"" {
                    cell.unicodeScalars.append(characters.removeFirst())
                } else {
                    quoted = false
                }
            case ("\"", false): quoted = true
            case (",", false):
                record.append(cell)
                cell = ""
            case ("\n", false):
                records.append(record + [cell])
                record = []
                cell = ""
            default: cell.unicodeScalars.append(c)
            }
        }
        let names = records.first ?? []
        header = names
        rows = records.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(names, $0)) }
    }
}
