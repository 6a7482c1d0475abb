# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_walinkd_global_optspecs
    string join \n config= socket= instance= h/help V/version
end

function __fish_walinkd_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_walinkd_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_walinkd_using_subcommand
    set -l cmd (__fish_walinkd_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c walinkd -n "__fish_walinkd_needs_command" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_needs_command" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_needs_command" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_needs_command" -s h -l help -d 'Print help'
complete -c walinkd -n "__fish_walinkd_needs_command" -s V -l version -d 'Print version'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "status" -d 'Show the connection at a glance'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "watch" -d 'Show the connection at a glance, then each change as it happens'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "wait" -d 'Wait until the connection stands as wanted'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "qr" -d 'Draw the QR code until a phone has scanned it'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "pair" -d 'Show a pairing code for a number until it is linked'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "passkey" -d 'Take the passkey step, when WhatsApp asks for it'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "disconnect" -d 'Unlink the device, wipe its session, pair anew'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "pause" -d 'Go offline and stay so, also over a restart; the link is kept'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "resume" -d 'End a pause'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "reconnect" -d 'Drop the connection and connect now'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "key" -d 'Make, list and remove API keys'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "webhook" -d 'List, test and resume webhooks'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "reload" -d 'Read the configuration anew and say what changed'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "check-config" -d 'Check a configuration and tell every fault'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "doctor" -d 'Look at everything the daemon needs, and say what to do'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "backup" -d 'Copy the state with its keys into a file'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "restore" -d 'Put a copy of the state in the place of what is there'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "completions" -d 'Print what a shell needs to complete this command line'
complete -c walinkd -n "__fish_walinkd_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -l show-number -d 'Show the phone number in full'
complete -c walinkd -n "__fish_walinkd_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand watch" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand watch" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand watch" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand watch" -l json -d 'Print the API\'s objects, one a line: a status has `state`, an event `type`, a gap `from`'
complete -c walinkd -n "__fish_walinkd_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -l for -d 'What to wait for: connected, unlinked (no device is linked), or a state as in walinkd status --json' -r -f -a "connected\t''
unlinked\t''
starting\t''
connecting\t''
waiting_qr\t''
waiting_code\t''
waiting_passkey\t''
linking\t''
degraded\t''
reconnecting\t''
paused\t''
logged_out\t''
replaced\t''
banned\t''
outdated\t''
stopping\t''"
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -l timeout -d 'How long at most, such as 500ms, 60s or 1h30m; 0s looks once' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l png -d 'Write it to a PNG file instead, anew at each change' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l svg -d 'Write it to an SVG file instead, anew at each change' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l raw -d 'Print the text of the QR code instead of drawing it'
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l no-wait -d 'Show the present one and do not wait for the phone'
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -l show-number -d 'Show the phone number in full'
complete -c walinkd -n "__fish_walinkd_using_subcommand qr" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l code -d 'A pairing code of your own, for example ABCD-EFGH' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l replace -d 'Pair beside the live link and take over from it'
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l no-wait -d 'Show the code and do not wait for the phone'
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -l show-number -d 'Show the phone number in full'
complete -c walinkd -n "__fish_walinkd_using_subcommand pair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l cancel -d 'Give the step up; pairing begins anew'
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l script -d 'Print the script for the browser\'s console, and nothing else'
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -l no-wait -d 'Do not wait until the device is linked'
complete -c walinkd -n "__fish_walinkd_using_subcommand passkey" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand disconnect" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand disconnect" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand disconnect" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand disconnect" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand disconnect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand pause" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand pause" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand pause" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand pause" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand resume" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand resume" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand resume" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand resume" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand reconnect" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand reconnect" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand reconnect" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand reconnect" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand reconnect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -s h -l help -d 'Print help'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -f -a "add" -d 'Make a key and print it, this once'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -f -a "list" -d 'List the keys: their names, never the keys themselves'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -f -a "remove" -d 'Remove a key; what waits with it ends'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and not __fish_seen_subcommand_from add list remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l scope -d 'What it may do: read is GET, manage is everything' -r -f -a "read\t''
manage\t''"
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l expires -d 'The last day, 2027-01-01, in UTC, or a moment, 2027-01-01T12:00:00Z' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -l json -d 'Print the API\'s answer, which holds the key'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from list" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from list" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from list" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from list" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from remove" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from remove" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from remove" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from remove" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "add" -d 'Make a key and print it, this once'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the keys: their names, never the keys themselves'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove a key; what waits with it ends'
complete -c walinkd -n "__fish_walinkd_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -s h -l help -d 'Print help'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -f -a "list" -d 'List the webhooks: what waits, what has failed'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -f -a "test" -d 'Send a test to one webhook or to all, at once'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -f -a "resume" -d 'End the pause of one webhook or of all'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and not __fish_seen_subcommand_from list test resume help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from list" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from list" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from list" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from list" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from test" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from test" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from test" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from test" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from resume" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from resume" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from resume" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from resume" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the webhooks: what waits, what has failed'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from help" -f -a "test" -d 'Send a test to one webhook or to all, at once'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from help" -f -a "resume" -d 'End the pause of one webhook or of all'
complete -c walinkd -n "__fish_walinkd_using_subcommand webhook; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand reload" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand reload" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand reload" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand reload" -l json -d 'Print the API\'s answer'
complete -c walinkd -n "__fish_walinkd_using_subcommand reload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand check-config" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand check-config" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand check-config" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand check-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand doctor" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand doctor" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand doctor" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand doctor" -l json -d 'Print the findings as JSON'
complete -c walinkd -n "__fish_walinkd_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand backup" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand backup" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand backup" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand backup" -l force -d 'Replace what is there'
complete -c walinkd -n "__fish_walinkd_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand restore" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand restore" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand restore" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand restore" -l force -d 'Also when the device that is there was used since the copy was made'
complete -c walinkd -n "__fish_walinkd_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand completions" -l config -d 'The configuration [default: /etc/walinkd/walinkd.toml]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand completions" -l socket -d 'The daemon\'s control socket [default: $WALINKD_SOCKET, or where a daemon has it]' -r -F
complete -c walinkd -n "__fish_walinkd_using_subcommand completions" -l instance -d 'The instance walinkd@NAME' -r
complete -c walinkd -n "__fish_walinkd_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "status" -d 'Show the connection at a glance'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "watch" -d 'Show the connection at a glance, then each change as it happens'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "wait" -d 'Wait until the connection stands as wanted'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "qr" -d 'Draw the QR code until a phone has scanned it'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "pair" -d 'Show a pairing code for a number until it is linked'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "passkey" -d 'Take the passkey step, when WhatsApp asks for it'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "disconnect" -d 'Unlink the device, wipe its session, pair anew'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "pause" -d 'Go offline and stay so, also over a restart; the link is kept'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "resume" -d 'End a pause'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "reconnect" -d 'Drop the connection and connect now'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "key" -d 'Make, list and remove API keys'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "webhook" -d 'List, test and resume webhooks'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "reload" -d 'Read the configuration anew and say what changed'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "check-config" -d 'Check a configuration and tell every fault'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "doctor" -d 'Look at everything the daemon needs, and say what to do'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "backup" -d 'Copy the state with its keys into a file'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "restore" -d 'Put a copy of the state in the place of what is there'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "completions" -d 'Print what a shell needs to complete this command line'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and not __fish_seen_subcommand_from status watch wait qr pair passkey disconnect pause resume reconnect key webhook reload check-config doctor backup restore completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "add" -d 'Make a key and print it, this once'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "list" -d 'List the keys: their names, never the keys themselves'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "remove" -d 'Remove a key; what waits with it ends'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from webhook" -f -a "list" -d 'List the webhooks: what waits, what has failed'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from webhook" -f -a "test" -d 'Send a test to one webhook or to all, at once'
complete -c walinkd -n "__fish_walinkd_using_subcommand help; and __fish_seen_subcommand_from webhook" -f -a "resume" -d 'End the pause of one webhook or of all'
