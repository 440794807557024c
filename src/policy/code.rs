use crate::model::words;

words! {
    /// The kind of a problem. The words are stable: some may be added, none renamed.
    pub enum Code {
        TooLarge = "too-large", "the file is larger than 4 MiB, or has more than a million values";
        NotUtf8 = "not-utf8", "the file is not UTF-8";
        Character = "character", "a character that is invisible or that YAML does not have";
        Empty = "empty", "the file holds no policy";
        Syntax = "syntax", "the file is not YAML";
        SeveralDocuments = "several-documents", "the file holds a second document";
        TooDeep = "too-deep", "lists or mappings are nested deeper than any policy";
        Alias = "alias", "an anchor, an alias or a merge key";
        Tag = "tag", "a YAML tag";
        BadKey = "bad-key", "a key that is not a plain word";
        DuplicateKey = "duplicate-key", "a key that stands twice in one mapping";
        UnknownKey = "unknown-key", "a key that means nothing here";
        MissingKey = "missing-key", "a key that must be there";
        MissingValue = "missing-value", "a key without a value";
        WrongShape = "wrong-shape", "a list, a mapping or a single value where another of them belongs";
        NotSupportedYet = "not-supported-yet", "a part of the format that this version cannot enforce";
        BadVersion = "bad-version", "a version of the format that this version does not read";
        UnknownWord = "unknown-word", "a word that is not one of those that may stand here";
        BadBoolean = "bad-boolean", "neither `true` nor `false`";
        BadNumber = "bad-number", "not a number in plain decimal digits";
        OutOfRange = "out-of-range", "a number, duration or length outside its range";
        BadDuration = "bad-duration", "not a duration such as `60s` or `1m30s`";
        BadTime = "bad-time", "not a time such as `2027-01-31T18:00:00Z`";
        BadSize = "bad-size", "not a size such as `64MiB`";
        BadInterface = "bad-interface", "not an interface name or pattern";
        BadNetwork = "bad-network", "not a network such as `10.77.1.0/24`";
        BadAddress = "bad-address", "not an address that can be used here";
        BadPath = "bad-path", "not an absolute path that can be used";
        BadUser = "bad-user", "not the name or number of a user";
        BadMask = "bad-mask", "not a mark mask such as \"0xff003f00\", or one with too few bits";
        BadName = "bad-name", "not a host name";
        BadWildcard = "bad-wildcard", "a `*` in a name that is not its whole first label";
        PublicSuffix = "public-suffix", "a wildcard for names that anybody can have";
        BadId = "bad-id", "not a rule id";
        EmptyList = "empty-list", "a list without entries where at least one is needed";
        TooMany = "too-many", "a list with more entries than it may have";
        DuplicateEntry = "duplicate-entry", "a list entry that another one already covers";
        PortMissing = "port-missing", "a rule without a port whose proto has no default";
        DnsPort = "dns-port", "port 53 in a rule: DNS is handled apart";
        DuplicateId = "duplicate-id", "two rules with one id";
        IdNeeded = "id-needed", "a rule whose own id would be too long";
        DuplicateRule = "duplicate-rule", "a rule for a name and port that another rule decides already";
        ConflictingRules = "conflicting-rules", "two rules that say different things of one name and port";
        WildcardResolve = "wildcard-resolve", "`upstream: resolve` for many names, of which Envoy knows none";
        NoRoom = "no-room", "more rules than marks or listener ports";
        NoRules = "no-rules", "a policy that refuses everything";
        SingleLabel = "single-label", "a name without a dot";
        StrangersBelow = "strangers-below", "a wildcard that means names of strangers, too";
        NoEffect = "no-effect", "a value that changes nothing";
        UnreachableResolver = "unreachable-resolver", "a resolver that clients cannot reach";
        TooManyProblems = "too-many-problems", "more problems than are shown";
    }
}
