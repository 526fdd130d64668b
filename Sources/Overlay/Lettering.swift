// Text as OpenCV's font can draw it, which has ASCII only, and in lines that fit.

enum Lettering {
    /// Letters of western languages without their marks; what has no likeness becomes a question mark.
    static func drawable(_ text: String) -> String {
        var drawn = ""
        for scalar in text.unicodeScalars {
            if (0x20..<0x7F).contains(scalar.value) {
                drawn.unicodeScalars.append(scalar)
            } else if let likeness = likenesses[scalar] {
                drawn += likeness
            } else if scalar.properties.generalCategory == .nonspacingMark {
                continue  // the mark of a letter that was written in two
            } else if scalar.properties.isWhitespace {
                drawn += " "
            } else {
                drawn += "?"
            }
        }
        return drawn
    }

    /// Broken between words; a word that is too wide stays whole and is cut by the picture's edge.
    static func lines(_ text: String, within width: Int, _ measure: (String) -> Int) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, measure(last + " " + word) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    private static let likenesses: [Unicode.Scalar: String] = {
        var likenesses: [Unicode.Scalar: String] = [
            "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "æ": "ae", "Æ": "Ae",
            "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "å": "a", "Å": "A", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
            "–": "-", "—": "-", "‘": "'", "’": "'", "“": "\"", "”": "\"", "„": "\"", "«": "\"", "»": "\"", "…": "...",
            "·": ".", "•": "-", "©": "(c)", "€": "EUR", "§": "Par.", "°": " deg",
        ]
        for (plain, marked) in [
            ("a", "àáâãāăą"), ("e", "èéêëēĕėęě"), ("i", "ìíîïīįı"), ("o", "òóôõōő"), ("u", "ùúûūůűų"),
            ("c", "çćčċ"), ("n", "ñńňņ"), ("s", "śšşș"), ("z", "źżž"), ("y", "ýÿ"), ("r", "řŕ"), ("t", "ťţț"),
            ("d", "ďð"), ("g", "ğģ"), ("l", "ľĺļ"), ("k", "ķ"),
        ] {
            for scalar in marked.unicodeScalars {
                likenesses[scalar] = plain
                let capital = String(scalar).uppercased().unicodeScalars
                if let first = capital.first, capital.count == 1 { likenesses[first] = plain.uppercased() }
            }
        }
        return likenesses
    }()
}
